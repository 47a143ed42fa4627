// A Better Auth server as its documentation sets one up, for the longer test: SQLite in memory, second
// factors by mail, by an authenticator app and by backup codes. A second address serves the same
// accounts from a server that cannot send codes. It prints its address, answers the test's questions on
// standard output, and ends when its standard input does.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { base32 } from "@better-auth/utils/base32";
import { createOTP } from "@better-auth/utils/otp";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";

const codes = new Map();
const [full, silent] = await Promise.all([listen(), listen()]);

// A line of input is an e-mail address: the last code that was sent there. Or it is the URI that an
// authenticator app scans: the code that the app shows. Or it asks for the other address.
const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  if (line === "the server that sends no codes") return console.log(silent.address);
  console.log(line.startsWith("otpauth:") ? await shown(line) : (codes.get(line) ?? "none"));
});
lines.on("close", () => process.exit(0));

const database = new Database(":memory:");
const options = (address, otpOptions) => ({
  appName: "Vestibule",
  baseURL: address,
  secret: "only for a test, and gone with its process",
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
await (await getMigrations(options(full.address, sending))).runMigrations();
full.server.on("request", toNodeHandler(betterAuth(options(full.address, sending))));
silent.server.on("request", toNodeHandler(betterAuth(options(silent.address, undefined))));
console.log(`listening on ${full.address}`);

async function listen() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, address: `http://127.0.0.1:${server.address().port}` };
}

/** The code of now (RFC 6238), of the secret in the URI. */
async function shown(uri) {
  const secret = base32.decode(new URL(uri).searchParams.get("secret"));
  return createOTP(new TextDecoder().decode(secret)).totp();
}
