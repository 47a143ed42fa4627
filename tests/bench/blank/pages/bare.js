// Measures, in the page, a command that does nothing and an event without content. The first window
// makes the calls; every window reports when it received the event.

const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
// A page's clock shows whole milliseconds; on average, half a millisecond more has passed.
const now = () => performance.timeOrigin + performance.now() + 0.5;

async function calls({ batches, calls }) {
  const means = [];
  for (let batch = 0; batch < batches; batch++) {
    const begun = performance.now();
    for (let nth = 0; nth < calls; nth++) await invoke("nothing");
    means.push((performance.now() - begun) / calls);
  }
  await invoke("told", { value: means });
}

async function begin() {
  const plan = await invoke("plan");
  const handler = transformCallback(({ payload }) => {
    void invoke("heard", { ring: payload, at: now() });
  });
  await invoke("plugin:event|listen", { event: "rung", target: { kind: "Any" }, handler });
  // Returns once every window listens.
  await invoke("listening");
  if (!plan.first) return;
  if (plan.calls > 0) await calls(plan);
  for (let ring = 0; ring < plan.rings; ring++) await invoke("ring", { ring });
  await invoke("done");
}

void begin();
