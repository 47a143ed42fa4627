import { type AuthError, perInstance } from "vestibule";
import { momentNow } from "@/lib/clock";
import { vestibule } from "@/lib/vestibule";

// The server can ask a form to wait. The wait and the failure are kept here and not in the form, so
// that a person who leaves the form and comes back still has to wait.

export type FormName = "login" | "register" | "code";
type Wait = { until: number; failure: AuthError };

const waitsOf = perInstance(() => new Map<FormName, Wait>());

/** The wait of a form; null once it is over. */
export function currentWait(formName: FormName): Wait | null {
  const waits = waitsOf(vestibule);
  const wait = waits.get(formName);
  if (!wait || wait.until > momentNow()) return wait ?? null;
  waits.delete(formName);
  return null;
}

/** Keeps the wait that a failure asks for. A failure that asks for none ends an earlier wait. */
export function recordWait(formName: FormName, failure: AuthError): Wait | null {
  const waits = waitsOf(vestibule);
  if (failure.retryAfterMs === null) {
    waits.delete(formName);
    return null;
  }
  const wait = { until: momentNow() + failure.retryAfterMs, failure };
  waits.set(formName, wait);
  return wait;
}

/** Drops all waits. For tests, each of which has a server of its own. */
export function clearWaits(): void {
  waitsOf(vestibule).clear();
}
