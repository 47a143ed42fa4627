// What a page may say to the app, to the shell and to the scheme that its pages come by. The engine hands a message to the app's process whole, and the
// app cannot refuse it before that: it is held there several times over by then. So a message is
// bounded here, where it is made: its size, and how much of all messages is on its way. Runs in
// every frame before the scripts of the page, and keeps for itself what it uses of the engine: what
// a page does to the originals changes nothing here.
(() => {
  /** The longest message, in characters or bytes. */
  const MESSAGE = 2 * 1024 * 1024;
  /** The most that is on its way; the next message waits for its turn, in the page's memory. */
  const ON_ITS_WAY = 4 * 1024 * 1024;
  const AT_ONCE = 192;
  /** The most values in a message that is JSON: each takes some hundred bytes where it is read. */
  const VALUES = 20_000;
  /** The longest address, and the most that all headers have. */
  const HEAD = 16 * 1024;
  /** How much may go in a second where nobody says that it has arrived. */
  const UNANSWERED = 4 * 1024 * 1024;

  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const getter = (object, name) => object && getOwnPropertyDescriptor(object, name)?.get;
  const { fetch: fetched, Headers, Promise, Request, Response, String, TypeError, URL } = window;
  const { stringify } = JSON;
  const { isView } = ArrayBuffer;
  const then = Promise.prototype.then;
  const now = performance.now.bind(performance);
  const lengthOfBuffer = getter(ArrayBuffer.prototype, "byteLength");
  const lengthOfArray = getter(getPrototypeOf(Uint8Array.prototype), "byteLength");
  const lengthOfView = getter(DataView.prototype, "byteLength");
  const addressOfRequest = getter(Request.prototype, "url");
  const headersOfRequest = getter(Request.prototype, "headers");
  const methodOfRequest = getter(Request.prototype, "method");
  const protocolOf = getter(URL.prototype, "protocol");
  const hostOf = getter(URL.prototype, "hostname");
  const { forEach: eachHeader, get: header } = Headers.prototype;

  const attempt = (work) => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };

  /** Whether this address is the shell's; a relative one is the app's own page's. */
  const isShell = (address) => {
    const url = attempt(() => construct(URL, [address]));
    if (!url) return false;
    return apply(protocolOf, url, []) === "ipc:" || apply(hostOf, url, []) === "ipc.localhost";
  };

  /** The size of a body; undefined where it cannot be told before it is sent. */
  const size = (body) => {
    if (body === undefined || body === null) return 0;
    if (typeof body === "string") return body.length;
    if (!isView(body)) return attempt(() => apply(lengthOfBuffer, body, []));
    return (
      attempt(() => apply(lengthOfArray, body, [])) ?? attempt(() => apply(lengthOfView, body, []))
    );
  };

  /** Whether a text has more values than may be; commas within its strings are none. */
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

  /** What a command answers that is refused. */
  const refusal = () =>
    construct(Response, [
      stringify({ code: "too_large", message: TOO_LARGE, retryAfterMs: null }),
      { headers: { "content-type": "application/json", "Tauri-Response": "error" } },
    ]);

  let bytes = 0;
  let count = 0;
  // Those that wait, each with the next.
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

  const send = (length, address, init) => {
    // A buffer can grow while it waits.
    if (size(init.body) !== length) return refusal();
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

  // The app's pages come by a scheme of its own, and there is no other server: what is read there
  // has no body to speak of.
  const elsewhere = (input, init) => {
    const copy = { __proto__: null };
    for (const name in init) copy[name] = init[name];
    if (copy.headers !== undefined) copy.headers = construct(Headers, [copy.headers]);
    const length = size(copy.body);
    const headers = copy.headers ?? attempt(() => apply(headersOfRequest, input, []));
    if (length === undefined || length > MESSAGE || (headers && headSize(headers) > HEAD)) {
      throw construct(TypeError, [TOO_LARGE]);
    }
    // The size of the body of a request cannot be told.
    const method = attempt(() => apply(methodOfRequest, input, [])) ?? "GET";
    if (method !== "GET" && method !== "HEAD") throw construct(TypeError, [TOO_LARGE]);
    return fetched(input, copy);
  };

  const guarded = (input, init) => {
    const requested = attempt(() => apply(addressOfRequest, input, []));
    const address = requested ?? String(input);
    if (address.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    if (!isShell(address)) return elsewhere(requested === undefined ? address : input, init);
    if (requested !== undefined) throw construct(TypeError, ["Commands are called by invoke()."]);
    const { method, headers: given, body } = init ?? {};
    const headers = construct(Headers, [given]);
    const length = size(body);
    const isText = typeof body === "string";
    if (length === undefined || length > MESSAGE || headSize(headers) > HEAD) return refusal();
    if (isText ? hasTooManyValues(body) : !isBytes(headers)) return refusal();
    const copy = { __proto__: null, method, headers, body };
    if (!first && fits(length)) return send(length, address, copy);
    return construct(Promise, [
      (resolve) => {
        const waiting = { length, go: () => resolve(send(length, address, copy)) };
        if (last) last.next = waiting;
        else first = waiting;
        last = waiting;
      },
    ]);
  };

  const put = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: true, configurable: false });

  // A page may put its own around it, and cannot get behind it.
  put(window, "fetch", (input, init) =>
    construct(Promise, [(resolve) => resolve(guarded(input, init))]),
  );

  const opened = XMLHttpRequest.prototype.open;
  put(XMLHttpRequest.prototype, "open", function open(method, address, ...rest) {
    const text = String(address);
    if (isShell(text)) throw construct(TypeError, ["Commands are called by invoke()."]);
    if (text.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    return apply(opened, this, [method, text, ...rest]);
  });
  const posted = XMLHttpRequest.prototype.send;
  put(XMLHttpRequest.prototype, "send", function send(body) {
    const length = size(body);
    if (length === undefined || length > MESSAGE) throw construct(TypeError, [TOO_LARGE]);
    return apply(posted, this, [body]);
  });
  const headed = XMLHttpRequest.prototype.setRequestHeader;
  put(XMLHttpRequest.prototype, "setRequestHeader", function setRequestHeader(name, value) {
    const key = String(name);
    const text = String(value);
    if (key.length + text.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    return apply(headed, this, [key, text]);
  });

  // Nobody would hear it: there is no network.
  put(Navigator.prototype, "sendBeacon", () => false);

  // The other way to the shell, which is taken where the engine refuses the first. Nobody says when
  // such a message has arrived.
  let since = now();
  let sent = 0;
  const bounded = (native) =>
    function postMessage(message) {
      if (typeof message !== "string" || message.length > MESSAGE || hasTooManyValues(message)) {
        throw construct(TypeError, [TOO_LARGE]);
      }
      if (now() - since > 1000) {
        since = now();
        sent = 0;
      }
      // Each costs something, however short it is.
      sent += message.length + 1024;
      if (sent > UNANSWERED) {
        throw construct(TypeError, [`The app takes ${UNANSWERED} bytes in a second this way.`]);
      }
      return apply(native, this, [message]);
    };
  const handler = window.webkit?.messageHandlers?.ipc;
  if (handler) {
    const prototype = getPrototypeOf(handler);
    put(prototype, "postMessage", bounded(prototype.postMessage));
  }
  const view = window.chrome?.webview;
  if (view) put(view, "postMessage", bounded(view.postMessage));
})();
