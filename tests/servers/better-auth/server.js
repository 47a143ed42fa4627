// A Better Auth server as its documentation sets one up, for the longer test: SQLite, and second
// factors by mail, by an authenticator app and by backup codes. A second address serves the same
// accounts from a server that cannot send codes. The test reads the mailbox and the app over standard
// input and output.

import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { base32 } from "@better-auth/utils/base32";
import { createOTP } from "@better-auth/utils/otp";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import { SECRET, announce, dataFolder, endWithInput, freePort, port } from "../shared/serving.js";

const codes = new Map();
const full = await port();

const database = new Database(join(dataFolder(), "site.db"));
const options = (at, otpOptions) => ({
  appName: "Vestibule",
  baseURL: address(at),
  secret: SECRET,
  database: { dialect: new SqliteDialect({ database }), type: "sqlite" },
  emailAndPassword: { enabled: true },
  // Without rate limits, since here all requests come from one address.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  // Standard output is only for the answers to the test.
  logger: { log: (level, ...words) => console.error(level, ...words) },
  plugins: [
    twoFactor({ skipVerificationOnEnable: true, otpOptions }),
  ],
});
const sending = { sendOTP: ({ user, otp }) => void codes.set(user.email, otp) };
await (await getMigrations(options(full, sending))).runMigrations();
await serve(full, sending);
// Another one at each start, since nobody keeps this address.
const silent = await freePort();
await serve(silent, undefined);

// A line of input is an e-mail address: the last code that was sent there. Or it is the URI that an
// authenticator app scans: the code that the app shows. Or it asks for the other address.
const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  if (line === "the server that sends no codes") return console.log(address(silent));
  console.log(line.startsWith("otpauth:") ? await shown(line) : (codes.get(line) ?? "none"));
});
endWithInput();
announce(address(full));

function address(at) {
  return `http://127.0.0.1:${at}`;
}

async function serve(at, otpOptions) {
  const server = createServer(toNodeHandler(betterAuth(options(at, otpOptions))));
  await once(server.listen(at, "127.0.0.1"), "listening");
}

/** The code of now (RFC 6238), of the secret in the URI. */
async function shown(uri) {
  const secret = base32.decode(new URL(uri).searchParams.get("secret"));
  return createOTP(new TextDecoder().decode(secret)).totp();
}
