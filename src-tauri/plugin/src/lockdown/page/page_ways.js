// Bounds the ways by which a page sends something to the app, where the engine offers them to the
// page itself (macOS, Windows). It runs in every frame before the page's own scripts. A page may
// wrap the functions that it finds, but it cannot reach the originals.
const boundPageWays = ({ boundedFetch, isShell, size, hasTooManyValues, ...limits }) => {
  const { HEAD, TOO_LARGE } = limits;
  /** The most bytes a second on the ways that do not report when a message has arrived. */
  const UNANSWERED = 4 * 1024 * 1024;
  const { apply, construct, defineProperty, getPrototypeOf } = Reflect;
  const { Promise, String, TypeError } = window;
  const now = performance.now.bind(performance);

  const put = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: true, configurable: false });

  // A page can make any number of frames, and each would have bounds of its own. So frames get no
  // way to the app at all. The app's own pages have no frames, so they lose nothing.
  if (window !== window.top) {
    const refuse = () => {
      throw construct(TypeError, ["A frame cannot send anything to the app."]);
    };
    put(window, "fetch", () => construct(Promise, [refuse]));
    put(XMLHttpRequest.prototype, "open", refuse);
    put(Navigator.prototype, "sendBeacon", () => false);
    put(window, "EventSource", undefined);
    const handler = window.webkit?.messageHandlers?.ipc;
    if (handler) put(getPrototypeOf(handler), "postMessage", refuse);
    return;
  }

  put(window, "fetch", boundedFetch);

  // Counts what is sent on the ways that do not report when a message has arrived.
  let since = now();
  let sent = 0;
  const spend = (length) => {
    if (now() - since > 1000) {
      since = now();
      sent = 0;
    }
    // Each message costs the app something, however short it is.
    sent += length + 1024;
    if (sent > UNANSWERED) {
      throw construct(TypeError, [`The app takes at most ${UNANSWERED} bytes a second this way.`]);
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

  // A window has no network that a beacon could be sent to.
  put(Navigator.prototype, "sendBeacon", () => false);

  // Nor that events could come from. With the shell's address it would be one more message.
  put(window, "EventSource", undefined);

  // Tauri's other way to the shell, which it uses where the engine refuses fetch.
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
};
