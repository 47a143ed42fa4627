// A Better Auth server as its documentation sets one up, for the longer test: SQLite in memory, a
// second factor by mail, and a mailbox that the test reads over standard input and output. It
// prints its address, and ends when its standard input does.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";

const codes = new Map();
// Each line of input is an address; the answer is the last code that was sent there.
const lines = createInterface({ input: process.stdin });
lines.on("line", (email) => console.log(codes.get(email) ?? "none"));
lines.on("close", () => process.exit(0));

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;

const options = {
  appName: "Vestibule",
  baseURL: address,
  secret: "only for a test, and gone with its process",
  database: { dialect: new SqliteDialect({ database: new Database(":memory:") }), type: "sqlite" },
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
server.on("request", toNodeHandler(betterAuth(options)));
console.log(`listening on ${address}`);
