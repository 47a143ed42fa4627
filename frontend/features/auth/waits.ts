import type { AuthFailure } from "@/lib/auth";
import { momentNow } from "@/lib/clock";

// Until when the server wants to be left alone, by what it was asked for, and in which words it
// said so. In memory, beside the forms: whoever leaves a form and comes back waits all the same.

export type Asked = "login" | "register" | "code";
type Wait = { until: number; failure: AuthFailure };

const held = new Map<Asked, Wait>();

/** The wait that stands; null once it is over. */
export function waitFor(asked: Asked): Wait | null {
  const wait = held.get(asked);
  if (!wait || wait.until > momentNow()) return wait ?? null;
  held.delete(asked);
  return null;
}

/** Keeps what a failure asks for; one that asks for nothing ends the wait before it. */
export function keepWait(asked: Asked, failure: AuthFailure): Wait | null {
  if (failure.retryAfterMs === null) {
    held.delete(asked);
    return null;
  }
  const wait = { until: momentNow() + failure.retryAfterMs, failure };
  held.set(asked, wait);
  return wait;
}

/** For tests: each has a server of its own. */
export function forgetWaits(): void {
  held.clear();
}
