// One call to the backend. The page chooses a number for it, and several commands name that number.
// The call ends when its signal is aborted; whatever waits for it then rejects with the reason.

import { commands } from "../ipc/commands.ts";

// The upper part of every number names this page, and the lower part counts its calls. So the plugin
// can tell a late command of a page that the window has left from a command of the current page.
// Both belong to the page and not to an instance, because the plugin tells all calls of a window
// apart by their numbers; a second copy of this package in the page counts on from the first.
//
// The plugin forgets a number when its call ends (src-tauri/core/src/backend_calls.rs), so the numbers
// may repeat. If a call stays open while its page makes 2^20 - 1 others, the next one gets the same
// number and is refused, and both are cancelled.
const THIS_PAGE = Symbol.for("vestibule.page");
const COUNT = 2 ** 20;

type Page = { number: number; calls: number };

function nextNumber(): number {
  const holder = globalThis as { [THIS_PAGE]?: Page };
  holder[THIS_PAGE] ??= { number: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0, calls: 0 };
  const page = holder[THIS_PAGE];
  page.calls = (page.calls + 1) % COUNT;
  return page.number * COUNT + page.calls;
}

export type BackendCall = ReturnType<typeof openBackendCall>;

export function openBackendCall(signal: AbortSignal | null | undefined) {
  const number = nextNumber();
  let over = false;

  /** Ends the call in the plugin and closes its connection. */
  function cancel() {
    if (over) return;
    over = true;
    // It fails only where the window is being closed, and then nothing depends on it.
    commands.backendCancel(number).catch(() => undefined);
  }

  return {
    number,
    signal,
    cancel,
    /** Marks the call as ended by itself, so that there is nothing to cancel. */
    end: () => {
      over = true;
    },
    /** Waits for `work`, a part of this call, until it ends or the signal is aborted. */
    step: <T>(work: Promise<T>): Promise<T> => {
      if (!signal) return work;
      return new Promise((resolve, reject) => {
        const abort = () => {
          cancel();
          reject(signal.reason);
        };
        if (signal.aborted) {
          // Nobody waits for the work any more, so its failure is ignored.
          work.catch(() => undefined);
          return abort();
        }
        signal.addEventListener("abort", abort, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
      });
    },
  };
}
