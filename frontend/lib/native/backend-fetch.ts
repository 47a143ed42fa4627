// `fetch` for the adopter's own API. The shell attaches the session's token and calls the backend.
// This side sends the request to the shell and makes a real `Response` of the answer; it never sees
// a token.

import { commands } from "./commands";
import { NativeError } from "./errors";
import { type Exchange, openExchange } from "./exchange";
import { type BodyGiven, requestBody } from "./request-body";
import { type UploadProgress, upload } from "./upload";
import { FAILURES, type FetchReply } from "./wire";

export type { UploadProgress } from "./upload";

/**
 * The options of `auth.fetch`: those of `fetch`, `json` for a value instead of a body, and
 * `onUploadProgress`. To limit the time of the whole call pass `AbortSignal.timeout(ms)`.
 */
export type BackendInit = {
  method?: string;
  headers?: HeadersInit;
  body?: BodyGiven;
  json?: unknown;
  signal?: AbortSignal | null;
  onUploadProgress?: (progress: UploadProgress) => void;
};

/** Calls a path of the backend. Rejects with a `NativeError` where there is no answer. */
export async function backendFetch(path: string, init: BackendInit = {}): Promise<Response> {
  const { signal } = init;
  signal?.throwIfAborted();
  const headers = new Headers(init.headers);
  const given = bodyGiven(init, headers);
  const method = (init.method ?? (given == null ? "GET" : "POST")).toUpperCase();
  if (given != null && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`A ${method} request cannot have a body.`);
  }
  const exchange = openExchange(signal);
  try {
    const body = await exchange.step(requestBody(given, headers));
    const request = { path, method, headers: [...headers] };
    if (body.kind === "blob" || body.kind === "stream") {
      return response(exchange, await upload(exchange, request, body, init.onUploadProgress));
    }
    const text = body.kind === "text" ? body.text : null;
    const asked = commands.backendFetch(exchange.number, { ...request, body: text });
    return response(exchange, await exchange.step(asked));
  } catch (cause) {
    exchange.cancel();
    throw cause;
  }
}

function bodyGiven(init: BackendInit, headers: Headers): BodyGiven {
  if (init.json === undefined) return init.body;
  if (init.body != null) throw new TypeError("Give either `body` or `json`, not both.");
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return JSON.stringify(init.json);
}

const BODILESS = new Set([204, 205, 304]);

function response(exchange: Exchange, { status, headers, body, streamed }: FetchReply): Response {
  if (status < 200 || status > 599) {
    const message = `The backend answered with the impossible status ${status}.`;
    throw new NativeError({ ...FAILURES.badAnswer, message });
  }
  const kept = new Headers();
  for (const [name, value] of headers) {
    try {
      kept.append(name, value);
    } catch {
      // `Headers` refuses this name or value, so the page does not get it.
    }
  }
  if (streamed) return new Response(stream(exchange), { status, headers: kept });
  exchange.end();
  return new Response(BODILESS.has(status) ? null : body, { status, headers: kept });
}

/** A body that is read from the shell only as fast as the page reads it. */
function stream(exchange: Exchange): ReadableStream<Uint8Array> {
  const { number, signal } = exchange;
  let leave = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const abort = () => {
          exchange.cancel();
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
          if (piece.byteLength > 0) return controller.enqueue(new Uint8Array(piece));
          exchange.end();
          leave();
          controller.close();
        } catch (cause) {
          if (signal?.aborted) return;
          exchange.cancel();
          leave();
          throw cause;
        }
      },
      cancel: () => {
        leave();
        exchange.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}
