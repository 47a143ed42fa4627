// Runs in every page before the page's own scripts: notes when a change of the session has come
// and when the header shows it. What changes is whether the session may see people, which the
// header has a link for. Times are the wall clock's, in milliseconds.
(() => {
  if (window !== window.top) return;
  const changes = [];
  Object.defineProperty(window, "benchHeader", { get: () => changes });
  // A page's clock shows whole milliseconds: in the mean, half of one has passed since.
  const now = () => performance.timeOrigin + performance.now() + 0.5;
  const shows = () => document.querySelector('header a[href^="/admin"]') !== null;

  // What the last change said, though nothing came of it; `undefined` until one comes.
  let known;
  const hear = () => {
    const shell = window.__TAURI_INTERNALS__;
    if (!shell?.callbacks) return setTimeout(hear);
    const handler = shell.transformCallback(({ payload }) => {
      const may = payload.state.may?.includes("people.see") ?? false;
      // Before its first change a page shows what was so when it began. Later it may show this
      // change already: its own listener may come first.
      const before = known ?? shows();
      known = may;
      if (may !== before) {
        changes.push({ revision: payload.revision, may, heard: now(), shown: null });
        look();
      }
    });
    const target = { kind: "Any" };
    shell.invoke("plugin:event|listen", { event: "session-changed", target, handler });
  };
  hear();

  const look = () => {
    const last = changes.at(-1);
    if (last && last.shown === null && shows() === last.may) last.shown = now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
})();
