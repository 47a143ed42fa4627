// Runs in every page before the page's own scripts, in builds for tests only. Records everything
// that was ever in the document, even for a moment, every message between the page and the shell,
// and what the content security policy blocked. The record of a page that is left reaches the next
// page of the same window in `window.name`.
(() => {
  if (window !== window.top) return;
  let past = [];
  try {
    past = JSON.parse(window.name).record;
  } catch {
    // The window's first page.
  }
  const page = {
    address: location.href,
    texts: [],
    links: [],
    fields: [],
    commands: [],
    pushed: [],
    cut: 0,
    events: [],
    violations: [],
    errors: [],
    frames: [],
  };
  const noted = new Set();
  const note = (kind, value) => {
    const text = value?.trim();
    if (!text || noted.has(`${kind} ${text}`)) return;
    noted.add(`${kind} ${text}`);
    page[kind].push(text);
  };

  const UNSEEN = new Set(["SCRIPT", "STYLE", "NOSCRIPT"]);
  const look = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!UNSEEN.has(node.parentNode?.nodeName)) note("texts", node.data);
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || UNSEEN.has(node.nodeName)) return;
    if (node.nodeName === "A") note("links", node.getAttribute("href"));
    if (node.nodeName === "INPUT") note("fields", node.type);
    note("texts", node.getAttribute("aria-label"));
    for (const child of node.childNodes) look(child);
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(look);
      else look(target);
    }
  }).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["href", "type", "aria-label"],
  });

  // What a user sees first: the frames up to the first one that shows the app itself, which is the
  // first with a header. A hidden window draws no frames.
  const draw = () => {
    const text = (document.body?.innerText ?? "").trim();
    const whole = document.querySelector("header") !== null;
    const last = page.frames.at(-1);
    if (last?.text !== text || last.whole !== whole) {
      page.frames.push({ text, whole, at: performance.now() });
    }
    if (!whole) requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);

  // Commands are sent by `fetch` with the scheme `ipc:`. Of a large message only the beginning is
  // kept, and of binary data only a little, so that the record stays small.
  const MOST = { text: 64 * 1024, bytes: 1024 };
  const kept = (message) => {
    const isText = typeof message === "string";
    const most = isText ? MOST.text : MOST.bytes;
    const text = isText ? message : new TextDecoder("latin1").decode(message);
    if (text.length <= most) return text;
    page.cut += 1;
    return text.slice(0, most);
  };
  const isBytes = ({ headers }) => headers.get("content-type") === "application/octet-stream";
  const fetched = window.fetch;
  window.fetch = async (input, init) => {
    const response = await fetched(input, init);
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    if (url.protocol === "ipc:") {
      const command = decodeURIComponent(url.pathname.slice(1)).replace("plugin:vestibule|", "");
      const request = kept(init?.body ?? "");
      const asked = [...new Headers(init?.headers)];
      const copy = response.clone();
      const answer = kept(isBytes(copy) ? await copy.arrayBuffer() : await copy.text());
      const headers = [...response.headers];
      page.commands.push({ command, request, asked, answer, headers });
    }
    return response;
  };
  const hear = () => {
    const shell = window.__TAURI_INTERNALS__;
    if (!shell?.callbacks) return setTimeout(hear);
    // What the shell sends unasked goes to a callback that is called more than once. A change of the
    // session comes by a channel, in a message that also has its place in the channel's order.
    const { callbacks } = shell;
    callbacks.get = (id) => {
      const callback = Map.prototype.get.call(callbacks, id);
      if (!callback) return callback;
      return (message) => {
        callback(message);
        if (!callbacks.has(id)) return;
        page.pushed.push(kept(JSON.stringify(message) ?? ""));
        if (message?.message?.revision) page.events.push(JSON.stringify(message.message));
      };
    };
  };
  hear();

  document.addEventListener("securitypolicyviolation", (violation) => {
    page.violations.push({
      directive: violation.violatedDirective,
      blocked: violation.blockedURI,
      source: `${violation.sourceFile ?? ""}:${violation.lineNumber}`,
    });
  });
  addEventListener("error", ({ message }) => note("errors", message));
  addEventListener("unhandledrejection", ({ reason }) => note("errors", String(reason)));

  const whole = () => [...past, page];
  addEventListener("pagehide", () => {
    window.name = JSON.stringify({ record: whole() });
  });
  Object.defineProperty(window, "vestibuleRecord", { get: whole });
})();
