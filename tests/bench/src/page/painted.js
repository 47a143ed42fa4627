// Runs in every page before the page's own scripts: puts a strip along the left edge in the same turn
// in which the header shows whose account it is, so that both are in one frame. Its colour tells whose:
// "Person 2" has 2 as its green.
(() => {
  if (window !== window.top) return;
  const strip = new CSSStyleSheet();
  const watch = new MutationObserver(() => {
    const shown = document.querySelector('header button[aria-label$=", account menu"]');
    const person = shown?.ariaLabel.match(/^Person (\d+),/)?.[1];
    if (person === undefined) return;
    watch.disconnect();
    strip.replaceSync(`body::before {
      content: ""; position: fixed; inset: 0 auto 0 0; width: 8px; z-index: 99;
      background: rgb(254 ${person} 1);
    }`);
    document.adoptedStyleSheets.push(strip);
  });
  watch.observe(document, { subtree: true, childList: true });
  Object.defineProperty(window, "benchStrip", { value: strip });
})();
