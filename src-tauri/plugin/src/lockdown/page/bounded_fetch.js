/**
 * Makes a `fetch` that bounds what it sends to the app: the size of each message, and the size of
 * all that are on their way. The engine hands a whole message to the app's process, which holds it
 * several times over before the app can refuse it. So messages are bounded before they leave the
 * process of the page. What the app serves are the shell's commands and the pages of its own scheme.
 *
 * The function takes its own copies of the engine's functions first: where it runs in the page's own
 * world, a page that replaces them changes nothing here.
 */
const makeBoundedFetch = () => {
  /** The most bytes that are on their way. Further messages wait in the page's memory. */
  const ON_ITS_WAY = 4 * 1024 * 1024;
  const AT_ONCE = 192;
  /** The most values in a JSON message: the app needs about a hundred bytes for each. */
  const VALUES = 20_000;
  /** The longest address, and the largest size of all headers together. */
  const HEAD = 16 * 1024;
  const { apply, construct, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const getter = (object, name) => object && getOwnPropertyDescriptor(object, name)?.get;
  const { fetch: fetched, Headers, Promise, Request, Response, String, TypeError, URL } = window;
  const { stringify } = JSON;
  const { isView } = ArrayBuffer;
  const then = Promise.prototype.then;
  const lengthOfBuffer = getter(ArrayBuffer.prototype, "byteLength");
  const lengthOfArray = getter(getPrototypeOf(Uint8Array.prototype), "byteLength");
  const lengthOfView = getter(DataView.prototype, "byteLength");
  const addressOfRequest = getter(Request.prototype, "url");
  const headersOfRequest = getter(Request.prototype, "headers");
  const methodOfRequest = getter(Request.prototype, "method");
  const protocolOf = getter(URL.prototype, "protocol");
  const hostOf = getter(URL.prototype, "hostname");
  const { forEach: eachHeader, get: header, set: setHeader } = Headers.prototype;
  /** Goes along with every command, so that the app knows a late one of a page that has gone. */
  const PAGE = String(crypto.getRandomValues(new Uint32Array(1))[0]);

  const attempt = (work) => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };

  /** Whether an address is the shell's. A relative address is one of the app's own pages. */
  const isShell = (address) => {
    const url = attempt(() => construct(URL, [address]));
    if (!url) return false;
    return apply(protocolOf, url, []) === "ipc:" || apply(hostOf, url, []) === "ipc.localhost";
  };

  /** The size of a body; undefined where it is not known before the body is sent. */
  const size = (body) => {
    if (body === undefined || body === null) return 0;
    if (typeof body === "string") return body.length;
    if (!isView(body)) return attempt(() => apply(lengthOfBuffer, body, []));
    return (
      attempt(() => apply(lengthOfArray, body, [])) ?? attempt(() => apply(lengthOfView, body, []))
    );
  };

  /** Whether a JSON text has more than `VALUES` values. Commas inside strings do not count. */
  const hasTooManyValues = (text) => {
    let values = 0;
    let quoted = false;
    for (let at = 0; at < text.length && values <= VALUES; at += 1) {
      const sign = text[at];
      if (quoted) {
        if (sign === "\\") at += 1;
        else if (sign === '"') quoted = false;
      } else if (sign === '"') quoted = true;
      else if (sign === "," || sign === "[" || sign === "{") values += 1;
    }
    return values > VALUES;
  };

  const headSize = (headers) => {
    let length = 0;
    apply(eachHeader, headers, [(value, name) => (length += name.length + value.length)]);
    return length;
  };

  const isBytes = (headers) =>
    (apply(header, headers, ["content-type"]) ?? "application/octet-stream") ===
    "application/octet-stream";

  const TOO_LARGE =
    `A message to the app has at most ${MESSAGE} bytes, ${VALUES} values and ${HEAD} bytes of ` +
    "headers. Give a larger body to auth.fetch as a Blob or a stream, which goes in pieces.";

  /** The answer of a command that fails before it reaches the app. The shape is that of the core's errors. */
  const refusal = (code = "other", status = 413, message = TOO_LARGE) =>
    construct(Response, [
      stringify({ code, status, message, retryAfterMs: null }),
      { headers: { "content-type": "application/json", "Tauri-Response": "error" } },
    ]);

  let bytes = 0;
  let count = 0;
  // The queue of messages that wait: each holds the next.
  let first;
  let last;
  const fits = (length) => count < AT_ONCE && (bytes === 0 || bytes + length <= ON_ITS_WAY);
  const next = () => {
    while (first && fits(first.length)) {
      const { go } = first;
      first = first.next;
      go();
    }
    if (!first) last = undefined;
  };

  const send = (length, address, init, held) => {
    // A buffer can grow while its message waits.
    if (size(init.body) !== held) return refusal();
    bytes += length;
    count += 1;
    const arrived = () => {
      bytes -= length;
      count -= 1;
      next();
    };
    const sent = fetched(address, init);
    apply(then, sent, [arrived, arrived]);
    return sent;
  };

  /** Sends a message when it is its turn. */
  const dispatch = (held, address, input, init) => {
    const length = held + address.length + (init.headers ? headSize(init.headers) : 0);
    if (!first && fits(length)) return send(length, input, init, held);
    return construct(Promise, [
      (resolve) => {
        const waiting = { length, go: () => resolve(send(length, input, init, held)) };
        if (last) last.next = waiting;
        else first = waiting;
        last = waiting;
      },
    ]);
  };

  // Requests that are not for the shell load the app's own pages from its scheme; the window reaches
  // no other server. Such requests need no body.
  const elsewhere = (address, input, init) => {
    const copy = { __proto__: null };
    for (const name in init) copy[name] = init[name];
    if (copy.headers !== undefined) copy.headers = construct(Headers, [copy.headers]);
    const held = size(copy.body);
    const headers = copy.headers ?? attempt(() => apply(headersOfRequest, input, []));
    // The size of the body of a Request object cannot be read.
    const method = attempt(() => apply(methodOfRequest, input, [])) ?? "GET";
    const isBare = method === "GET" || method === "HEAD";
    if (held === undefined || held > MESSAGE || (headers && headSize(headers) > HEAD) || !isBare) {
      throw construct(TypeError, [TOO_LARGE]);
    }
    return dispatch(held, address, input, copy);
  };

  const guarded = (input, init) => {
    const requested = attempt(() => apply(addressOfRequest, input, []));
    const address = requested ?? String(input);
    if (address.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    if (!isShell(address)) {
      return elsewhere(address, requested === undefined ? address : input, init);
    }
    if (requested !== undefined) throw construct(TypeError, ["Commands are called by invoke()."]);
    const { method, headers: given, body } = init ?? {};
    const headers = construct(Headers, [given]);
    apply(setHeader, headers, ["vestibule-page", PAGE]);
    const held = size(body);
    const isText = typeof body === "string";
    if (held === undefined || held > MESSAGE || headSize(headers) > HEAD) return refusal();
    if (isText ? hasTooManyValues(body) : !isBytes(headers)) return refusal();
    return dispatch(held, address, address, { __proto__: null, method, headers, body });
  };

  const boundedFetch = (input, init) =>
    construct(Promise, [(resolve) => resolve(guarded(input, init))]);
  return { boundedFetch, refusal, isShell, size, hasTooManyValues, HEAD, TOO_LARGE };
};
