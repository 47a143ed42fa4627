// What the servers for Node.js have in common: where they listen, where their data is, when they
// end.
//
// PORT            the port on loopback; a free one without it
// DATA            a folder that outlives the server; without it a temporary one that does not
// ACCESS_LIFE_S   how many seconds an access token is valid
//
// A server prints `listening on ADDRESS` and ends when its standard input does, and so with the
// program that has started it.

import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ANN = { email: "ann@example.com", password: "correct-horse" };
// Only for tests on loopback. It stays the same, so that tokens outlive a restart of the server.
export const SECRET = "only-for-tests-on-loopback-and-known-to-everybody";

export function accessLife(otherwise) {
  return Number(process.env.ACCESS_LIFE_S ?? otherwise);
}

export function dataFolder() {
  if (process.env.DATA) {
    mkdirSync(process.env.DATA, { recursive: true });
    return process.env.DATA;
  }
  const folder = mkdtempSync(join(tmpdir(), "vestibule-server-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function port() {
  return process.env.PORT ? Number(process.env.PORT) : freePort();
}

/** A port that nothing listens on. */
export async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

export function announce(address) {
  console.log(`listening on ${address}`);
}

/** Ends this process with its standard input or by a signal. */
export function endWithInput() {
  process.stdin.resume();
  process.stdin.on("close", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(0));
}
