// What links ask that were opened from outside the app. The plugin keeps each until a page shows it, and
// a page shows one at a time. A link may be anybody's: nothing here is done before the person wants it.

import { commands } from "./ipc/commands.ts";
import type { LinkNotice } from "./ipc/wire.ts";
import { createStore } from "./store.ts";
import { createSubscription } from "./subscription.ts";

export type Links = ReturnType<typeof createLinks>;

/** What an instance has for links: a store of the notice that is to be shown now, or null. */
export function createLinks() {
  const { initial, get, set, subscribe } = createStore<LinkNotice | null>(null);
  let waiting: LinkNotice[] = [];
  // Ids grow. A value may have been on its way while a notice of it was taken.
  let lastTaken = 0;

  function showNext() {
    if (get() !== null) return;
    const [next, ...rest] = waiting;
    if (!next) return;
    waiting = rest;
    lastTaken = next.id;
    // Without it the notice is shown again after the next load, which is harmless.
    commands.takeLinkNotice(next.id).catch(() => undefined);
    set(next);
  }

  const subscription = createSubscription(commands.linkNotices, {
    onValue: (notices) => {
      waiting = notices.waiting.filter(({ id }) => id > lastTaken);
      showNext();
    },
    // A window whose capability does not allow it shows nothing of links.
    onFailure: () => undefined,
  });

  return {
    initial,
    get,
    subscribe,
    /** Subscribes to what links ask. Call it once, in an app that has links. It never rejects. */
    start: subscription.start,
    /** Ends the subscription at once, and forgets the notice that is shown. */
    stop: (): void => {
      subscription.stop();
      waiting = [];
      lastTaken = 0;
      set(null);
    },
    /** The notice that is shown is done with; the next one follows. */
    close: (): void => {
      set(null);
      showNext();
    },
  };
}
