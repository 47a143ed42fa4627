// One call to the backend, as the shell knows it: a number that this page chose, and the commands
// that go by it. Ends when its signal does; what it was waiting for then rejects with the reason.

import { commands } from "./commands";

// Names this page among those that the window has shown, so that a command of a page that is gone
// is told from one of the page that is there. The shell reads the two parts apart.
const PAGE = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
const COUNT = 2 ** 20;
let count = 0;

export type Exchange = ReturnType<typeof openExchange>;

export function openExchange(signal: AbortSignal | null | undefined) {
  count = (count + 1) % COUNT;
  const number = PAGE * COUNT + count;
  let over = false;

  /** Ends the exchange in the shell, and the connection with it. */
  function cancel() {
    if (over) return;
    over = true;
    // Nothing is left to say to anyone if that fails: the window is going.
    commands.backendCancel(number).catch(() => undefined);
  }

  return {
    number,
    signal,
    cancel,
    /** The exchange has come to its end by itself. */
    end: () => {
      over = true;
    },
    /** Waits for `work`, which is part of this exchange, but no longer than the signal lets it. */
    step: <T>(work: Promise<T>): Promise<T> => {
      if (!signal) return work;
      return new Promise((resolve, reject) => {
        const abort = () => {
          cancel();
          reject(signal.reason);
        };
        if (signal.aborted) {
          // The work goes on to nowhere; its failure is nobody's.
          work.catch(() => undefined);
          return abort();
        }
        signal.addEventListener("abort", abort, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
      });
    },
  };
}
