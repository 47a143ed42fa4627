// When something that the plugin has announced is due. The plugin sends durations and no points in
// time, because the wall clock may be wrong. A duration counts from its arrival, by
// `performance.now()`.

import type { SessionState } from "./ipc/wire.ts";

export function createDeadlines() {
  const arrived = new WeakMap<object, number>();

  /** When a part of the state has arrived: the moment of the first call for it. */
  function arrivalOf(subject: object): number {
    const known = arrived.get(subject);
    if (known !== undefined) return known;
    const now = performance.now();
    arrived.set(subject, now);
    return now;
  }

  return {
    /** Remembers when this state has arrived. */
    noteArrival: (state: SessionState): void => {
      if (state.status === "restoring" && state.outage) arrivalOf(state.outage);
      if (state.status === "otp_pending") arrivalOf(state.challenge);
      if (state.status === "browser_pending") arrivalOf(state.signIn);
      if (state.status === "signed_in" && state.freshness.kind === "stale")
        arrivalOf(state.freshness);
    },
    /** The moment `inMs` after `subject` has arrived; null where `inMs` is null. */
    dueAt: (subject: object, inMs: number | null): number | null =>
      inMs === null ? null : arrivalOf(subject) + inMs,
  };
}
