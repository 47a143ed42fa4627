import { startShell } from "./shell";
import { signedOut } from "./states";

/**
 * Starts a shell whose plugin for public content answers with this body, in pieces of a few bytes.
 */
export function shellServing(status: number, body: unknown, initial = signedOut()) {
  const shell = startShell(initial);
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  let at = 0;
  shell.on("plugin:http|fetch", () => 1);
  shell.on("plugin:http|fetch_send", () => {
    at = 0;
    const headers = [["content-type", "application/json"]];
    return { status, statusText: "", headers, url: "", rid: 2 };
  });
  shell.on("plugin:http|fetch_read_body", () => {
    const piece = bytes.subarray(at, at + 7);
    at += 7;
    return new Uint8Array([...piece, piece.length > 0 ? 0 : 1]).buffer;
  });
  shell.on("plugin:http|fetch_cancel", () => null);
  shell.on("plugin:http|fetch_cancel_body", () => null);
  return shell;
}
