// A shell that takes and sends bodies as raw pieces, one at a time, as the real shell does.

import type { UploadReply, UploadRequest } from "vestibule";
import type { Shell } from "./shell";
import { reply } from "./states";

/** Makes the shell take uploads. It collects the pieces for each time that the body is sent. */
export function takingUploads(shell: Shell, verdict: (given: number) => UploadReply) {
  const bodies: Uint8Array[][] = [];
  let busy = false;
  let wanted = Number.POSITIVE_INFINITY;
  shell.on("backend_upload", () => {
    bodies.push([]);
    return null;
  });
  shell.on("backend_write", async (piece, headers) => {
    if (!(piece instanceof Uint8Array)) throw new Error("a piece must be raw");
    if (!/^\d+$/.test(headers.get("vestibule-exchange") ?? "")) throw new Error("whose piece?");
    if (busy) throw new Error("a piece came before the last was taken");
    busy = true;
    await Promise.resolve();
    busy = false;
    const body = bodies.at(-1) ?? [];
    if (body.length >= wanted) return false;
    body.push(piece.slice());
    return true;
  });
  shell.on("backend_answer", () => {
    const answer = verdict(bodies.length);
    if (answer.kind === "again") bodies.push([]);
    return answer;
  });
  return {
    pieces: (time = 0) => bodies[time] ?? [],
    body: (time = 0) => joined(bodies[time] ?? []),
    times: () => bodies.length,
    request: () => shell.called("backend_upload")[0]?.args.request as UploadRequest,
    /** How many pieces of each body the shell takes before it wants no more. */
    want: (pieces: number) => {
      wanted = pieces;
    },
  };
}

export const taken: UploadReply = { kind: "answer", reply: reply(200, { taken: true }) };

/** Makes the shell answer every call with a body in these pieces, and say its length where it has one. */
export function givingPieces(
  shell: Shell,
  pieces: (Uint8Array | Error)[],
  headers = {},
  length: number | null = null,
) {
  const left = [...pieces];
  shell.on("backend_fetch", () => ({
    ...reply(200),
    body: "",
    headers: Object.entries(headers),
    streamed: true,
    length,
  }));
  shell.on("backend_read", () => {
    const piece = left.shift();
    if (piece instanceof Error) throw piece;
    return piece ? piece.slice().buffer : new ArrayBuffer(0);
  });
}

export function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** Bytes whose values depend on their position, so that a wrong order is noticed. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, place) => (place * 31 + (place >> 8) * 7) & 0xff);
}
