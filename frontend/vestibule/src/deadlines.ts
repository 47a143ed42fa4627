// When something that the shell has announced is due. The shell sends durations and no points in
// time, because the wall clock may be wrong. A duration counts from its arrival, by
// `performance.now()`.

import type { SessionState } from "./ipc/wire.ts";

export function createDeadlines() {
  const arrived = new WeakMap<object, number>();

  function recordArrival(subject: object | null): void {
    if (subject && !arrived.has(subject)) arrived.set(subject, performance.now());
  }

  return {
    /** Remembers when this state has arrived. */
    noteArrival: (state: SessionState): void => {
      if (state.status === "restoring") recordArrival(state.outage);
      if (state.status === "otp_pending") recordArrival(state.challenge);
      if (state.status === "signed_in" && state.freshness.kind === "stale")
        recordArrival(state.freshness);
    },
    /** The moment `inMs` after `subject` has arrived; null where `inMs` is null. */
    dueAt: (subject: object, inMs: number | null): number | null => {
      if (inMs === null) return null;
      recordArrival(subject);
      return (arrived.get(subject) ?? performance.now()) + inMs;
    },
  };
}
