// Runs in every page before the page's own scripts: records when a change of the session arrives
// and when the header shows it. The change is whether the session may see people, for which the
// header has a link. Times are the wall clock's, in milliseconds.
(() => {
  if (window !== window.top) return;
  const changes = [];
  Object.defineProperty(window, "benchHeader", { get: () => changes });
  // A page's clock shows whole milliseconds; on average, half a millisecond more has passed.
  const now = () => performance.timeOrigin + performance.now() + 0.5;
  const shows = () => document.querySelector('header a[href^="/admin"]') !== null;

  // The value in the last change, even if it was not a new one; `undefined` before the first.
  let known;
  const hear = () => {
    const shell = window.__TAURI_INTERNALS__;
    if (!shell?.callbacks) return setTimeout(hear);
    // Tauri looks every message's receiver up in this map, and it is the only part of its IPC that can
    // be wrapped: `runCallback`, which receives the messages, cannot be replaced.
    const { callbacks } = shell;
    const got = callbacks.get.bind(callbacks);
    callbacks.get = (id) => {
      const callback = got(id);
      return (
        callback &&
        ((sent) => {
          // The list of accounts comes the same way.
          if (sent?.message?.state) heard(sent.message);
          callback(sent);
        })
      );
    };
  };
  const heard = ({ revision, state }) => {
    const may = state.may?.includes("people.see") ?? false;
    // Before its first change a page shows the value that it started with.
    const before = known ?? shows();
    known = may;
    if (may !== before) {
      changes.push({ revision, may, heard: now(), shown: null });
      look();
    }
  };
  hear();

  const look = () => {
    const last = changes.at(-1);
    if (last && last.shown === null && shows() === last.may) last.shown = now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
})();
