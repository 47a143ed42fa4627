// Directus as its npm packages install it, for the longer test: SQLite in a temporary folder, an
// administrator, and registration switched on. It prints its address, computes codes over standard
// input and output, and ends when its standard input does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { authenticator } from "otplib";

const ADMIN = { email: "admin@example.com", password: "correct-horse" };

const folder = mkdtempSync(join(tmpdir(), "vestibule-directus-"));
for (const name of ["uploads", "extensions"]) mkdirSync(join(folder, name));
const port = await freePort();
const address = `http://127.0.0.1:${port}`;
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  DB_CLIENT: "sqlite3",
  DB_FILENAME: join(folder, "directus.db"),
  STORAGE_LOCAL_ROOT: join(folder, "uploads"),
  EXTENSIONS_PATH: join(folder, "extensions"),
  HOST: "127.0.0.1",
  PORT: String(port),
  PUBLIC_URL: address,
  KEY: "vestibule",
  SECRET: "only-for-a-test-and-gone-with-its-process",
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  TELEMETRY: "false",
  LOG_LEVEL: "error",
};

let running;
// Each line of input is a secret; the answer is its code, as an authenticator app computes it, but
// not one that expires within seconds.
const lines = createInterface({ input: process.stdin });
lines.on("line", (secret) => {
  const left = authenticator.timeRemaining();
  setTimeout(() => console.log(authenticator.generate(secret)), left < 5 ? left * 1000 + 100 : 0);
});
lines.on("close", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(0));
process.on("exit", () => {
  running?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const [failed] = await once(directus("bootstrap"), "exit");
if (failed) process.exit(1);
directus("start").on("exit", () => process.exit(1));
await answers();
await letPeopleRegister();
console.log(`listening on ${address}`);

function directus(command) {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const cli = join(here, "node_modules/directus/cli.js");
  // Directus logs to standard error; standard output is only for the answers to the test.
  running = spawn(process.execPath, [cli, command], {
    cwd: here,
    env,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  return running;
}

async function answers() {
  for (;;) {
    const ready = await fetch(`${address}/server/ping`).then((answer) => answer.ok, () => false);
    if (ready) return;
    await new Promise((later) => setTimeout(later, 200));
  }
}

async function letPeopleRegister() {
  const { access_token } = await call("POST", "/auth/login", ADMIN);
  const settings = { public_registration: true, public_registration_verify_email: false };
  await call("PATCH", "/settings", settings, access_token);
}

async function call(method, path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(address + path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).data;
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  return port;
}
