// Measures, in the page, commands with nothing behind them and a message without content. The first
// window makes the calls; every window reports when it received the message.

const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
// A page's clock shows whole milliseconds; on average, half a millisecond more has passed.
const now = () => performance.timeOrigin + performance.now() + 0.5;

async function call({ bytes, piece }) {
  if (bytes === 0) return invoke("nothing");
  let left = bytes;
  while (left > 0) {
    const answer = await invoke("bytes", { bytes: Math.min(left, piece) });
    left -= answer.byteLength;
  }
}

async function calls(plan) {
  const { batches, calls } = plan;
  const means = [];
  for (let batch = 0; batch < batches; batch++) {
    const begun = performance.now();
    for (let nth = 0; nth < calls; nth++) await call(plan);
    means.push((performance.now() - begun) / calls);
  }
  await invoke("told", { value: means });
}

async function begin() {
  const plan = await invoke("plan");
  const hear = transformCallback(({ message }) => {
    if (message !== undefined) void invoke("heard", { ring: message, at: now() });
  });
  // Returns once every window listens. So a page names a channel to Tauri.
  await invoke("listening", { channel: `__CHANNEL__:${hear}` });
  if (!plan.first) return;
  if (plan.calls > 0) await calls(plan);
  for (let ring = 0; ring < plan.rings; ring++) await invoke("ring", { ring });
  await invoke("done");
}

void begin();
