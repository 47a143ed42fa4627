// Public content, through the shell's own client for it: no session goes along, and the addresses
// are those of `src-tauri/capabilities/public.json`. Refuses nothing itself; the shell does.

import { call } from "./ipc";

type Head = {
  status: number;
  statusText: string;
  headers: [string, string][];
  rid: number;
};

const CONNECT_MS = 5000;

/** Fetches public content by GET. Rejects with a `NativeError` when there was no answer. */
export async function publicFetch(url: string, signal?: AbortSignal): Promise<Response> {
  signal?.throwIfAborted();
  const clientConfig = { method: "GET", url, headers: [], connectTimeout: CONNECT_MS };
  const asked = await call<number>("plugin:http|fetch", { clientConfig });
  const cancel = () => void call("plugin:http|fetch_cancel", { rid: asked }).catch(() => undefined);
  signal?.addEventListener("abort", cancel);
  try {
    if (signal?.aborted) cancel();
    const head = await call<Head>("plugin:http|fetch_send", { rid: asked });
    const { status, statusText, headers } = head;
    const body = await content(head.rid, signal);
    return new Response(body.length > 0 ? body : null, { status, statusText, headers });
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** The body, in pieces of which the last byte says whether that was all. */
async function content(rid: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  let whole = new Uint8Array();
  for (;;) {
    if (signal?.aborted) {
      await call("plugin:http|fetch_cancel_body", { rid }).catch(() => undefined);
      throw signal.reason;
    }
    const piece = new Uint8Array(await call<ArrayBuffer>("plugin:http|fetch_read_body", { rid }));
    const longer = new Uint8Array(whole.length + piece.length - 1);
    longer.set(whole);
    longer.set(piece.subarray(0, -1), whole.length);
    whole = longer;
    if (piece.at(-1) === 1) return whole;
  }
}
