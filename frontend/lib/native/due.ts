// When something that the shell has announced is due. The shell sends durations and no points in time,
// because the wall clock may be wrong. A duration counts from its arrival, by `performance.now()`.

import type { SessionState } from "./wire";

const arrived = new WeakMap<object, number>();

function note(told: object | null): void {
  if (told && !arrived.has(told)) arrived.set(told, performance.now());
}

/** Remembers when this state has arrived. */
export function noteArrival(state: SessionState): void {
  if (state.status === "restoring") note(state.outage);
  if (state.status === "otp_pending") note(state.challenge);
  if (state.status === "signed_in" && state.freshness.kind === "stale") note(state.freshness);
}

/** The moment `inMs` after `told` has arrived; null where `inMs` is null. */
export function dueAt(told: object, inMs: number | null): number | null {
  if (inMs === null) return null;
  note(told);
  return (arrived.get(told) ?? performance.now()) + inMs;
}
