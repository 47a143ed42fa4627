// Sends a body to the plugin piece by piece. Each piece waits for the one before, so that at most
// one is in memory here and a few are in the plugin.

import { commands } from "../ipc/commands.ts";
import type { FetchReply, UploadRequest } from "../ipc/wire.ts";
import type { BackendCall } from "./backend-call.ts";

/** The largest piece that the plugin takes. */
const PIECE = 256 * 1024;

/** How many bytes have been sent. `total` is null for a stream, whose length is not known. */
export type UploadProgress = { sent: number; total: number | null };
type Source = { kind: "blob"; blob: Blob } | { kind: "stream"; stream: ReadableStream<Uint8Array> };

export async function upload(
  call: BackendCall,
  request: Pick<UploadRequest, "path" | "method" | "headers">,
  source: Source,
  onProgress: (progress: UploadProgress) => void = () => undefined,
): Promise<FetchReply> {
  const total = source.kind === "blob" ? source.blob.size : null;
  const whole = { ...request, length: total, replayable: source.kind === "blob" };
  await call.step(commands.backendUpload(call.number, whole));
  for (;;) {
    await give(call, source, (sent) => onProgress({ sent, total }));
    const given = await call.step(commands.backendAnswer(call.number));
    if (given.kind === "answer") return given.reply;
  }
}

async function give(call: BackendCall, source: Source, progress: (sent: number) => void) {
  // A command that takes bytes has no arguments.
  const headers = { "vestibule-exchange": String(call.number) };
  let sent = 0;
  progress(sent);
  const pieces = source.kind === "blob" ? ofBlob(source.blob) : ofStream(source.stream);
  // Leaving this loop early also cancels the stream that the pieces come from.
  for await (const piece of pieces) {
    const wanted = await call.step(commands.backendWrite(piece, headers));
    if (!wanted) return;
    sent += piece.byteLength;
    progress(sent);
  }
}

async function* ofBlob(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += PIECE) {
    yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
  }
}

async function* ofStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      for (let at = 0; at < value.byteLength; at += PIECE) yield value.subarray(at, at + PIECE);
    }
  } finally {
    if (!ended) reader.cancel().catch(() => undefined);
  }
}
