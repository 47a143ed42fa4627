// When what the shell has told is due. It tells durations, which count from their arrival, since the
// wall clock may be set to anything; so a moment here is one of `performance.now()`.

import type { SessionState } from "./wire";

const arrived = new WeakMap<object, number>();

function note(told: object | null): void {
  if (told && !arrived.has(told)) arrived.set(told, performance.now());
}

/** Notes when this state has arrived. */
export function noteArrival(state: SessionState): void {
  if (state.status === "restoring") note(state.outage);
  if (state.status === "otp_pending") note(state.challenge);
  if (state.status === "signed_in" && state.freshness.kind === "stale") note(state.freshness);
}

/** The moment that lies `inMs` after the arrival of `told`; null where there is none. */
export function dueAt(told: object, inMs: number | null): number | null {
  if (inMs === null) return null;
  note(told);
  return (arrived.get(told) ?? performance.now()) + inMs;
}
