// Turns the body that a caller gives into one of three kinds: text that is sent with the command,
// bytes that can be read again, or a stream that cannot.

import { multipart } from "./multipart.ts";

/** A body up to this size is kept in memory, so that it can be sent again. */
export const REPLAY_BODY_LIMIT = 1024 * 1024;

export type RequestBody =
  | { kind: "none" }
  | { kind: "text"; text: string }
  | { kind: "blob"; blob: Blob }
  | { kind: "stream"; stream: ReadableStream<Uint8Array> };

export type BodyInput = BodyInit | null | undefined;

/** Reads `body`, and sets its type in `headers` where the caller has not. */
export async function requestBody(body: BodyInput, headers: Headers): Promise<RequestBody> {
  if (body === null || body === undefined) return { kind: "none" };
  const typed = (type: string) => {
    if (type && !headers.has("content-type")) headers.set("content-type", type);
  };
  if (typeof body === "string") {
    typed("text/plain;charset=UTF-8");
    return text(body);
  }
  if (body instanceof URLSearchParams) {
    typed("application/x-www-form-urlencoded;charset=UTF-8");
    return text(body.toString());
  }
  if (body instanceof FormData) {
    const blob = multipart(body);
    // The type must name the boundary that is used here, so it overrides the caller's.
    headers.set("content-type", blob.type);
    return { kind: "blob", blob };
  }
  if (body instanceof Blob) {
    typed(body.type);
    return { kind: "blob", blob: body };
  }
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return { kind: "blob", blob: new Blob([body as BlobPart]) };
  }
  if (body instanceof ReadableStream) return short(body);
  throw new TypeError("auth.fetch cannot send this kind of body.");
}

/** Long text is sent as bytes, because the app holds the text of a command several times. */
function text(value: string): RequestBody {
  if (value.length > REPLAY_BODY_LIMIT / 4) {
    const blob = new Blob([value]);
    return blob.size > REPLAY_BODY_LIMIT ? { kind: "blob", blob } : { kind: "text", text: value };
  }
  return { kind: "text", text: value };
}

/** A stream that ends within `REPLAY_BODY_LIMIT` bytes becomes bytes, which can be sent again. */
async function short(stream: ReadableStream<Uint8Array>): Promise<RequestBody> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= REPLAY_BODY_LIMIT) {
    const { done, value } = await reader.read();
    if (done) return { kind: "blob", blob: new Blob(chunks as BlobPart[]) };
    if (!(value instanceof Uint8Array)) throw new TypeError("A stream must give Uint8Arrays.");
    chunks.push(value);
    size += value.byteLength;
  }
  const rest = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const kept = chunks.shift();
        if (kept) return controller.enqueue(kept);
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { kind: "stream", stream: rest };
}
