// Parse Server 9 on PostgreSQL with PostGIS, both from Debian: a cluster in the data folder, on
// loopback; one account, registration open.
//
// PG_BIN   the folder of `initdb` and `postgres`; by default Debian's

import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import express from "express";
import {
  ANN,
  SECRET,
  accessLife,
  announce,
  dataFolder,
  endWithInput,
  freePort,
  port,
} from "../shared/serving.js";

const APP = "vestibule";

endWithInput();
const data = dataFolder();
// Read when it is imported.
process.env.PARSE_SERVER_LOGS_FOLDER = join(data, "logs");
const { ParseServer } = await import("parse-server");
const databaseURI = await database(join(data, "postgres"));
const at = await port();
const address = `http://127.0.0.1:${at}/parse`;

const server = new ParseServer({
  appId: APP,
  masterKey: SECRET,
  databaseURI,
  serverURL: address,
  allowClientClassCreation: false,
  // Sessions last as long; a year without it.
  sessionLength: accessLife(31536000),
  // Standard output is for the address alone.
  silent: true,
  passwordPolicy: {
    validatorPattern: "^.{8,}$",
    validationError: "Password should be at least 8 characters",
  },
});
await server.start();
const app = express();
app.use("/parse", server.app);
createServer(app).listen(at, "127.0.0.1", async () => {
  await seed();
  announce(`http://127.0.0.1:${at}`);
});

async function seed() {
  const answer = await fetch(`${address}/users`, {
    method: "POST",
    headers: { "x-parse-application-id": APP, "content-type": "application/json" },
    body: JSON.stringify({ username: ANN.email, ...ANN }),
  });
  // 202: the name is taken, since the account is there already.
  const { code } = await answer.json();
  if (!answer.ok && code !== 202) throw new Error(`no account: ${answer.status} ${code}`);
}

/** Starts a cluster, which ends with this process. Returns its address. */
async function database(folder) {
  const bin = process.env.PG_BIN ?? debian();
  // PostgreSQL refuses to run as root, so there it runs as the user that its package makes.
  const as = process.getuid() === 0 ? identity("postgres") : {};
  mkdirSync(folder, { recursive: true });
  if (as.uid) {
    // That user must be able to enter the folders above.
    chownSync(folder, as.uid, as.gid);
    spawnSync("chmod", ["a+x", data]);
  }
  const options = { ...as, cwd: folder, stdio: ["ignore", 2, 2] };
  const run = (program, ...words) => spawnSync(join(bin, program), words, options).status === 0;
  const cluster = join(folder, "cluster");
  const first = !existsSync(join(cluster, "PG_VERSION"));
  if (first && !run("initdb", "-D", cluster, "-U", "parse", "-A", "trust", "-E", "UTF8")) {
    throw new Error("initdb failed");
  }
  // The process that it names was killed; until its parent has waited for it, PostgreSQL takes it
  // for one that runs, and does not start.
  rmSync(join(cluster, "postmaster.pid"), { force: true });
  const port = String(await freePort());
  // The data are only for a test.
  const words = ["-D", cluster, "-h", "127.0.0.1", "-p", port, "-k", folder, "-c", "fsync=off"];
  const running = spawn(join(bin, "postgres"), words, options);
  running.on("exit", () => process.exit(1));
  // SIGINT: PostgreSQL's fast shutdown.
  process.on("exit", () => running.kill("SIGINT"));
  const sql = (base, text) =>
    run("psql", "-h", "127.0.0.1", "-p", port, "-U", "parse", "-qc", text, base);
  for (let tries = 0; !sql("postgres", ""); tries++) {
    if (tries > 150) throw new Error("PostgreSQL does not answer");
    await pause(200);
  }
  const made = () =>
    sql("postgres", "create database parse") && sql("parse", "create extension postgis");
  if (first && !made()) throw new Error("there is no PostGIS");
  return `postgres://parse@127.0.0.1:${port}/parse`;
}

/** The newest version that Debian has installed. */
function debian() {
  const versions = readdirSync("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a));
  return join("/usr/lib/postgresql", versions[0], "bin");
}

/** The ids of a user of this machine. */
function identity(name) {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const line = lines.find((line) => line.startsWith(`${name}:`));
  if (!line) throw new Error(`there is no user ${name}`);
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}
