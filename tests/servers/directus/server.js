// Directus as its npm packages install it, for the longer test: SQLite, an administrator, and
// registration switched on. It computes codes over standard input and output.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { authenticator } from "otplib";
import { SECRET, announce, dataFolder, endWithInput, port as chosenPort } from "../shared/serving.js";

const ADMIN = { email: "admin@example.com", password: "correct-horse" };

let running;
// Before the folder is removed, so before that is prepared.
process.on("exit", () => running?.kill("SIGKILL"));
const folder = dataFolder();
for (const name of ["uploads", "extensions"]) mkdirSync(join(folder, name), { recursive: true });
const port = await chosenPort();
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
  SECRET,
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  TELEMETRY: "false",
  LOG_LEVEL: "error",
};

// Each line of input is a secret; the answer is its code, as an authenticator app computes it, but
// not one that expires within seconds.
const lines = createInterface({ input: process.stdin });
lines.on("line", (secret) => {
  const left = authenticator.timeRemaining();
  setTimeout(() => console.log(authenticator.generate(secret)), left < 5 ? left * 1000 + 100 : 0);
});
endWithInput();

const [failed] = await once(directus("bootstrap"), "exit");
if (failed) process.exit(1);
directus("start").on("exit", () => process.exit(1));
await answers();
await letPeopleRegister();
announce(address);

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
