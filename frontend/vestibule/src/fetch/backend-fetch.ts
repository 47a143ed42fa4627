// `fetch` for the backend's API. The plugin attaches the session's token and calls the backend. This
// side sends the request to the plugin and makes a real `Response` of the answer; it never sees
// a token.

import { commands } from "../ipc/commands.ts";
import { NativeError } from "../ipc/errors.ts";
import type { AuthError, FetchReply, FetchRequest } from "../ipc/wire.ts";
import { type BackendCall, openBackendCall } from "./backend-call.ts";
import { type BodyInput, type RequestBody, requestBody } from "./request-body.ts";
import { type UploadProgress, upload } from "./upload.ts";

/**
 * The options of `auth.fetch`. It takes the method, the headers, the body and the signal from those of
 * `fetch`. Beside these it takes `json`, a value to send in place of a body, and `onUploadProgress`. A
 * call with a body is a POST where no method is given. To limit the time of the whole call pass
 * `AbortSignal.timeout(ms)`.
 */
export type BackendInit = {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInput;
  json?: unknown;
  signal?: AbortSignal | null;
  onUploadProgress?: (progress: UploadProgress) => void;
};

/**
 * Calls a path of the backend, which begins with `/`. Rejects with a `NativeError` where there is no
 * answer that can be used, with the reason of the signal where that is aborted, and with a `TypeError`
 * where the options contradict each other or the body is of another kind.
 */
export type BackendFetch = (path: string, init?: BackendInit) => Promise<Response>;

/** `badAnswer` is the failure of an answer that is none of HTTP. */
export function createBackendFetch(badAnswer: AuthError): BackendFetch {
  return async (path, init = {}) => {
    const { signal } = init;
    signal?.throwIfAborted();
    const headers = new Headers(init.headers);
    const input = bodyInput(init, headers);
    const method = (init.method ?? (input == null ? "GET" : "POST")).toUpperCase();
    if (input != null && (method === "GET" || method === "HEAD")) {
      throw new TypeError(`A ${method} request cannot have a body.`);
    }
    const call = openBackendCall(signal);
    try {
      const body = await call.step(requestBody(input, headers));
      const reply = await ask(call, { path, method, headers: [...headers] }, body, init);
      if (reply.status < 200 || reply.status > 599) {
        throw new NativeError(badAnswer, { cause: `the status ${reply.status} is impossible` });
      }
      return response(call, reply);
    } catch (cause) {
      call.cancel();
      throw cause;
    }
  };
}

function ask(
  call: BackendCall,
  request: Omit<FetchRequest, "body">,
  body: RequestBody,
  { onUploadProgress }: BackendInit,
): Promise<FetchReply> {
  if (body.kind === "blob" || body.kind === "stream") {
    return upload(call, request, body, onUploadProgress);
  }
  const text = body.kind === "text" ? body.text : null;
  return call.step(commands.backendFetch(call.number, { ...request, body: text }));
}

function bodyInput(init: BackendInit, headers: Headers): BodyInput {
  if (init.json === undefined) return init.body;
  if (init.body != null) throw new TypeError("Give either `body` or `json`, not both.");
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return JSON.stringify(init.json);
}

const BODILESS = new Set([204, 205, 304]);

function response(
  call: BackendCall,
  { status, headers, body, streamed, length }: FetchReply,
): Response {
  const kept = new Headers();
  for (const [name, value] of headers) {
    try {
      kept.append(name, value);
    } catch {
      // `Headers` refuses this name or value, so the page does not get it.
    }
  }
  if (streamed) return new Response(stream(call, length), { status, headers: kept });
  call.end();
  return new Response(BODILESS.has(status) ? null : body, { status, headers: kept });
}

/**
 * A body that is read from the plugin only as fast as the page reads it: to the last byte of its length,
 * or to an empty piece where it has none.
 */
function stream(call: BackendCall, length: number | null): ReadableStream<Uint8Array> {
  const { number, signal } = call;
  let left = length;
  let leave = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const abort = () => {
          call.cancel();
          controller.error(signal?.reason);
        };
        if (signal?.aborted) return abort();
        signal?.addEventListener("abort", abort, { once: true });
        leave = () => signal?.removeEventListener("abort", abort);
      },
      pull: async (controller) => {
        try {
          const piece = await commands.backendRead(number);
          if (signal?.aborted) return;
          if (left !== null) left -= piece.byteLength;
          if (piece.byteLength > 0) {
            controller.enqueue(new Uint8Array(piece));
            if (left !== 0) return;
          }
          call.end();
          leave();
          controller.close();
        } catch (cause) {
          if (signal?.aborted) return;
          call.cancel();
          leave();
          throw cause;
        }
      },
      cancel: () => {
        leave();
        call.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}
