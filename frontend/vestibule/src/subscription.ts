// A value of the plugin that a page follows. One command answers the value and takes a channel, by
// which every later one comes. A value may arrive twice or late, so each has a revision.

import { NativeError } from "./ipc/errors.ts";
import { type Channel, insideApp, type Receiver, receiver } from "./ipc/ipc.ts";

export type Subscription = {
  /** Opens the channel and asks for the value. Does nothing where that has been done. It never rejects. */
  start: () => Promise<void>;
  /** Reads the value once more, for what should have come by the channel. It never rejects. */
  readAgain: () => Promise<void>;
  /** Ends the subscription at once. */
  stop: () => void;
};

export function createSubscription<T extends { revision: number }>(
  ask: (changes?: Channel<T>) => Promise<T>,
  followed: {
    /** Is called with each value that is newer than the one before. */
    onValue: (value: T) => void;
    /** Is called where there is no answer. The subscription has ended then and can be started again. */
    onFailure: (cause: NativeError) => void;
  },
): Subscription {
  let subscription: Receiver<T> | null = null;
  let newest: number | null = null;

  function accept(value: T) {
    if (newest !== null && value.revision <= newest) return;
    newest = value.revision;
    followed.onValue(value);
  }

  function stop() {
    subscription?.stop();
    subscription = null;
    newest = null;
  }

  async function start(): Promise<void> {
    if (subscription) return;
    if (!insideApp()) return followed.onFailure(NativeError.outsideApp());
    const mine = receiver<T>(accept);
    subscription = mine;
    try {
      const current = await ask(mine.channel);
      if (subscription === mine) accept(current);
    } catch (cause) {
      if (subscription !== mine) return;
      stop();
      followed.onFailure(NativeError.from(cause));
    }
  }

  async function readAgain(): Promise<void> {
    const mine = subscription;
    if (!mine) return;
    try {
      const current = await ask();
      if (subscription !== mine || (newest !== null && current.revision <= newest)) return;
      accept(current);
      // A channel keeps what follows a lost message back for ever, so another one takes its place.
      const next = receiver<T>(accept);
      subscription = next;
      mine.stop();
      const latest = await ask(next.channel);
      if (subscription === next) accept(latest);
    } catch {
      // What is known stays.
    }
  }

  return { start, readAgain, stop };
}
