/**
 * Replaces the page's `fetch`, which the policy forbids: a call is handed as an event of the
 * document to the script in the other world (`script_world.js`), which bounds and sends it. Nothing
 * depends on what the page does to this function, because the page has no other way to the app.
 */
const sendCallsByEvent = () => {
  const native = window.fetch;
  // In development the pages come from a server, whose other addresses the page may reach itself.
  const isBundled = location.protocol === "tauri:";
  const calls = new Map();
  let lastId = 0;

  /** The calls that were made before the other world listened. */
  const early = [];
  const hand = (detail) => {
    const event = new CustomEvent("vestibule:call", { detail, cancelable: true });
    const isTaken = !document.dispatchEvent(event);
    if (!isTaken) early.push(detail);
  };
  document.addEventListener("vestibule:ready", () => {
    for (const detail of early.splice(0)) hand(detail);
  });

  const responseOf = ({ status, statusText, headers, body, url, redirected }) => {
    const isBodiless = status === 204 || status === 205 || status === 304;
    const response = new Response(isBodiless ? null : body, { status, statusText, headers });
    Object.defineProperty(response, "url", { value: url });
    Object.defineProperty(response, "redirected", { value: redirected });
    return response;
  };
  document.addEventListener("vestibule:answer", ({ detail: { id, response, failed } }) => {
    const call = calls.get(id);
    calls.delete(id);
    if (response) call?.resolve(responseOf(response));
    else call?.reject(new TypeError(failed));
  });

  /**
   * The beginning of a text or of bytes. The other world refuses what is too long, and needs no more
   * of it for that: handing over copies it.
   */
  const begin = (part) => (part?.slice ? part.slice(0, MESSAGE + 1) : part);

  /** The parts of a request, with its body as a text or as bytes. */
  const callOf = async (address, input, init) => {
    const request = input instanceof Request ? input : undefined;
    const headers = new Headers(init?.headers ?? request?.headers);
    let body = init?.body ?? undefined;
    const isPlain =
      typeof body === "string" || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
    if (body !== undefined && !isPlain) {
      const read = new Response(body);
      const type = read.headers.get("content-type");
      if (type && !headers.has("content-type")) headers.set("content-type", type);
      body = await read.arrayBuffer();
    } else if (body === undefined && request?.body) {
      body = await request.arrayBuffer();
    }
    const method = init?.method ?? request?.method ?? "GET";
    const heads = [...headers].map(([name, value]) => [name, begin(value)]);
    return { address: begin(address), method, headers: heads, body: begin(body) };
  };

  const fetchByEvent = async (input, init) => {
    const requested = input instanceof Request ? input.url : String(input);
    const { href: address, protocol } = new URL(requested, document.baseURI);
    if (!isBundled && protocol !== "ipc:") return native(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    signal?.throwIfAborted();
    const call = await callOf(address, input, init);
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject });
      const abort = () => {
        calls.delete(id);
        reject(signal.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      hand({ id, call });
    });
  };
  // A page may wrap the function.
  Object.defineProperty(window, "fetch", {
    value: fetchByEvent,
    writable: true,
    enumerable: true,
    configurable: false,
  });
};
