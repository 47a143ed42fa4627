// Fetches public content with tauri-plugin-http, which does not have the session and refuses
// addresses that none of the app's capabilities lists. This side refuses bodies that are too large.

import { NativeError } from "../ipc/errors.ts";
import { callHttp } from "../ipc/ipc.ts";
import type { AuthError } from "../ipc/wire.ts";

type Head = {
  status: number;
  statusText: string;
  headers: [string, string][];
  rid: number;
};

const CONNECT_MS = 5000;
/** The most bytes of a body, so that a server that never stops cannot fill the window's memory. */
const MOST = 8 << 20;

/**
 * Fetches public content by GET. Rejects with a `NativeError` where there is no answer, or one of
 * more than 8 MiB (its `status` is 413).
 */
export type PublicFetch = (url: string, signal?: AbortSignal) => Promise<Response>;

/** `tooLarge` is the failure of a body that is too large. */
export function createPublicFetch(tooLarge: AuthError): PublicFetch {
  return async (url, signal) => {
    signal?.throwIfAborted();
    const clientConfig = { method: "GET", url, headers: [], connectTimeout: CONNECT_MS };
    const rid = await callHttp<number>("fetch", { clientConfig });
    const cancel = () => void callHttp("fetch_cancel", { rid }).catch(() => undefined);
    signal?.addEventListener("abort", cancel);
    try {
      if (signal?.aborted) cancel();
      const head = await callHttp<Head>("fetch_send", { rid });
      const { status, statusText, headers } = head;
      const body = await content(head.rid, signal);
      if (!body) throw new NativeError(tooLarge);
      return new Response(body.length > 0 ? body : null, { status, statusText, headers });
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };
}

/**
 * The body; null where it is too large. tauri-plugin-http sends it in pieces; the last byte of each says
 * whether it is the last piece.
 */
async function content(rid: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    if (signal?.aborted || length > MOST) {
      await callHttp("fetch_cancel_body", { rid }).catch(() => undefined);
      signal?.throwIfAborted();
      return null;
    }
    const piece = new Uint8Array(await callHttp<ArrayBuffer>("fetch_read_body", { rid }));
    pieces.push(piece.subarray(0, -1));
    length += piece.length - 1;
    if (piece.at(-1) === 1 && length <= MOST) return joined(pieces, length);
  }
}

function joined(pieces: Uint8Array<ArrayBuffer>[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
