// What a page may say to the app: to the shell, and to the scheme that its pages come by. The engine
// hands a message to the app's process whole, and the app cannot refuse it before that: it is held
// there several times over by then. So a message is bounded here, where it is made: its size, and
// how much of all messages is on its way. Runs in every frame before the scripts of the page, and
// keeps for itself what it uses of the engine: what a page does to the originals changes nothing.
(() => {
  /** The longest message, in characters or bytes. */
  const MESSAGE = 2 * 1024 * 1024;
  /** The most that is on its way; the next message waits for its turn, in the page's memory. */
  const ON_ITS_WAY = 4 * 1024 * 1024;
  const AT_ONCE = 192;
  /** The most values in a message that is JSON: each takes some hundred bytes where it is read. */
  const VALUES = 20_000;
  /** How often a page may ask to hear an event at once, and then once a second: the shell keeps
   * each, and tells each of a change. */
  const LISTENERS = 256;
  /** The longest address, and the most that all headers have. */
  const HEAD = 16 * 1024;
  /** How much may go in a second where nobody says that it has arrived. */
  const UNANSWERED = 4 * 1024 * 1024;

  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const getter = (object, name) => object && getOwnPropertyDescriptor(object, name)?.get;
  const { fetch: fetched, Headers, Promise, Request, Response, String, TypeError, URL } = window;
  const { stringify } = JSON;
  const { decodeURIComponent: decoded } = window;
  const { includes } = String.prototype;
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

  const decode = (address) => attempt(() => decoded(address)) ?? address;

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

  const put = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: true, configurable: false });

  // A frame would have bounds of its own, and a page can make frames without end. The app's pages
  // have none, so that nothing is lost.
  if (window !== window.top) {
    const refuse = () => {
      throw construct(TypeError, ["A frame has no way to the app."]);
    };
    put(window, "fetch", () => construct(Promise, [refuse]));
    put(XMLHttpRequest.prototype, "open", refuse);
    put(Navigator.prototype, "sendBeacon", () => false);
    const handler = window.webkit?.messageHandlers?.ipc;
    if (handler) put(getPrototypeOf(handler), "postMessage", refuse);
    return;
  }

  const isBytes = (headers) =>
    (apply(header, headers, ["content-type"]) ?? "application/octet-stream") ===
    "application/octet-stream";

  const TOO_LARGE =
    `A message to the app has at most ${MESSAGE} bytes, ${VALUES} values and ${HEAD} bytes of ` +
    "headers. Give a larger body to auth.fetch as a Blob or a stream, which goes in pieces.";

  const LISTENED =
    `A page may listen ${LISTENERS} times, and once more each second. Listen once, and pass on.`;

  /** What a command answers that is refused. */
  const refusal = (code = "too_large", message = TOO_LARGE) =>
    construct(Response, [
      stringify({ code, message, retryAfterMs: null }),
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

  const send = (length, address, init, held) => {
    // A buffer can grow while it waits.
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

  /** Sends it in its turn. */
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

  // The app's pages come by a scheme of its own, and there is no other server: what is read there
  // has no body to speak of.
  const elsewhere = (address, input, init) => {
    const copy = { __proto__: null };
    for (const name in init) copy[name] = init[name];
    if (copy.headers !== undefined) copy.headers = construct(Headers, [copy.headers]);
    const held = size(copy.body);
    const headers = copy.headers ?? attempt(() => apply(headersOfRequest, input, []));
    // The size of the body of a request cannot be told.
    const method = attempt(() => apply(methodOfRequest, input, [])) ?? "GET";
    const isBare = method === "GET" || method === "HEAD";
    if (held === undefined || held > MESSAGE || (headers && headSize(headers) > HEAD) || !isBare) {
      throw construct(TypeError, [TOO_LARGE]);
    }
    return dispatch(held, address, input, copy);
  };

  const begun = now();
  let listeners = 0;
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
    const held = size(body);
    const isText = typeof body === "string";
    if (held === undefined || held > MESSAGE || headSize(headers) > HEAD) return refusal();
    if (isText ? hasTooManyValues(body) : !isBytes(headers)) return refusal();
    if (apply(includes, decode(address), ["event|listen"])) {
      if (listeners >= LISTENERS + (now() - begun) / 1000) {
        return refusal("busy", LISTENED);
      }
      listeners += 1;
    }
    return dispatch(held, address, address, { __proto__: null, method, headers, body });
  };

  // A page may put its own around it, and cannot get behind it.
  put(window, "fetch", (input, init) =>
    construct(Promise, [(resolve) => resolve(guarded(input, init))]),
  );

  // For what goes where nobody says that it has arrived.
  let since = now();
  let sent = 0;
  const spend = (length) => {
    if (now() - since > 1000) {
      since = now();
      sent = 0;
    }
    // Each costs something, however short it is.
    sent += length + 1024;
    if (sent > UNANSWERED) {
      throw construct(TypeError, [`The app takes ${UNANSWERED} bytes in a second this way.`]);
    }
  };

  const opened = XMLHttpRequest.prototype.open;
  put(XMLHttpRequest.prototype, "open", function open(method, address, ...rest) {
    const text = String(address);
    if (isShell(text)) throw construct(TypeError, ["Commands are called by invoke()."]);
    if (text.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    spend(text.length);
    return apply(opened, this, [method, text, ...rest]);
  });
  const posted = XMLHttpRequest.prototype.send;
  put(XMLHttpRequest.prototype, "send", function send(body) {
    const length = size(body);
    if (length === undefined || length > MESSAGE) throw construct(TypeError, [TOO_LARGE]);
    spend(length);
    return apply(posted, this, [body]);
  });
  const headed = XMLHttpRequest.prototype.setRequestHeader;
  put(XMLHttpRequest.prototype, "setRequestHeader", function setRequestHeader(name, value) {
    const key = String(name);
    const text = String(value);
    if (key.length + text.length > HEAD) throw construct(TypeError, [TOO_LARGE]);
    spend(key.length + text.length);
    return apply(headed, this, [key, text]);
  });

  // Nobody would hear it: there is no network.
  put(Navigator.prototype, "sendBeacon", () => false);

  // The other way to the shell, which is taken where the engine refuses the first.
  const bounded = (native) =>
    function postMessage(message) {
      if (typeof message !== "string" || message.length > MESSAGE || hasTooManyValues(message)) {
        throw construct(TypeError, [TOO_LARGE]);
      }
      spend(message.length);
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
