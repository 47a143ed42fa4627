// A Better Auth server as its documentation sets one up, for the longer test: SQLite, a second factor
// by mail, and a mailbox that the test reads over standard input and output.

import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import { SECRET, announce, dataFolder, endWithInput, port } from "../shared/serving.js";

const codes = new Map();
// Each line of input is an address; the answer is the last code that was sent there.
const lines = createInterface({ input: process.stdin });
lines.on("line", (email) => console.log(codes.get(email) ?? "none"));
endWithInput();

const at = await port();
const address = `http://127.0.0.1:${at}`;

const options = {
  appName: "Vestibule",
  baseURL: address,
  secret: SECRET,
  database: { dialect: new SqliteDialect({ database: new Database(join(dataFolder(), "site.db")) }), type: "sqlite" },
  emailAndPassword: { enabled: true },
  // Without rate limits, since here all requests come from one address.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  // Standard output is only for the answers to the test.
  logger: { log: (level, ...words) => console.error(level, ...words) },
  plugins: [
    twoFactor({
      skipVerificationOnEnable: true,
      otpOptions: { sendOTP: ({ user, otp }) => void codes.set(user.email, otp) },
    }),
  ],
};
await (await getMigrations(options)).runMigrations();
const server = createServer(toNodeHandler(betterAuth(options)));
server.listen(at, "127.0.0.1", () => announce(address));
