import type { AuthFailure } from "@/lib/auth";
import { momentNow } from "@/lib/clock";

// The server can ask a form to wait. The wait and the failure are kept here and not in the form, so
// that a person who leaves the form and comes back still has to wait.

export type Asked = "login" | "register" | "code";
type Wait = { until: number; failure: AuthFailure };

const held = new Map<Asked, Wait>();

/** The wait of a form; null once it is over. */
export function waitFor(asked: Asked): Wait | null {
  const wait = held.get(asked);
  if (!wait || wait.until > momentNow()) return wait ?? null;
  held.delete(asked);
  return null;
}

/** Keeps the wait that a failure asks for. A failure that asks for none ends an earlier wait. */
export function keepWait(asked: Asked, failure: AuthFailure): Wait | null {
  if (failure.retryAfterMs === null) {
    held.delete(asked);
    return null;
  }
  const wait = { until: momentNow() + failure.retryAfterMs, failure };
  held.set(asked, wait);
  return wait;
}

/** Drops all waits. For tests, each of which has a server of its own. */
export function forgetWaits(): void {
  held.clear();
}
