// `fetch` for the adopter's own API. The shell attaches the session and talks to the backend; here
// a request is put into words and an answer becomes a real `Response`. No token passes through.

import { commands } from "./commands";
import { NativeError } from "./errors";

/** What `auth.fetch` takes: the usual, with text bodies only, or `json` for a value. */
export type BackendInit = {
  method?: string;
  headers?: HeadersInit;
  body?: string | null;
  json?: unknown;
  signal?: AbortSignal | null;
};

/** Calls a path of the backend. Rejects with a `NativeError` when there was no answer. */
export async function backendFetch(path: string, init: BackendInit = {}): Promise<Response> {
  const { signal } = init;
  signal?.throwIfAborted();
  const headers = new Headers(init.headers);
  const body = textBody(init, headers);
  const method = (init.method ?? (body === null ? "GET" : "POST")).toUpperCase();
  if (body !== null && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`A ${method} request cannot have a body.`);
  }
  const reply = await abortable(
    commands.backendFetch({ path, method, headers: [...headers], body }),
    signal,
  );
  return response(reply.status, reply.headers, reply.body);
}

function textBody(init: BackendInit, headers: Headers): string | null {
  if (init.json !== undefined) {
    if (init.body != null) throw new TypeError("Give either `body` or `json`, not both.");
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return JSON.stringify(init.json);
  }
  if (init.body == null) return null;
  if (typeof init.body !== "string") {
    throw new TypeError("auth.fetch sends text: pass a string, or `json` for a value.");
  }
  return init.body;
}

const BODILESS = new Set([204, 205, 304]);

function response(status: number, headers: [string, string][], body: string): Response {
  if (status < 200 || status > 599) {
    throw new NativeError({
      code: "bad_answer",
      message: `The backend answered with the impossible status ${status}.`,
      retryAfterMs: null,
    });
  }
  const kept = new Headers();
  for (const [name, value] of headers) {
    try {
      kept.append(name, value);
    } catch {
      // A header name or value that no Headers object may hold is of no use to a page.
    }
  }
  return new Response(BODILESS.has(status) ? null : body, { status, headers: kept });
}

/** A command cannot be taken back; an abort stops the waiting, and the answer is dropped. */
function abortable<T>(work: Promise<T>, signal?: AbortSignal | null): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
