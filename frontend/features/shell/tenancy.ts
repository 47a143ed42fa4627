import type { SessionState } from "@/lib/auth";
import { isEnding } from "@/lib/messages";

// Whose page the window shows, and whether the page is kept. When a session ends by itself, the page
// that its user was working on is kept in memory and hidden until the user has signed in again. It is
// discarded when the user signs out, when another person signs in, or when the window shows another
// page.

export type SignedIn = Extract<SessionState, { status: "signed_in" }>;

export type Tenancy = {
  /** The key of the page. A new number discards the old page. */
  lease: number;
  /** The id of the user whose page it is. */
  tenant: string | null;
  /** The address and the state when the user was last signed in; null once the window has left it. */
  seen: { here: string; state: SignedIn } | null;
  /** The address at which the user signed out. */
  left: string | null;
};

export const VACANT: Tenancy = { lease: 0, tenant: null, seen: null, left: null };

/** The tenancy after a new state at the address `here`; the same object where nothing has changed. */
export function follow(before: Tenancy, state: SessionState, here: string): Tenancy {
  const moved = (place: string | null | undefined) => place != null && place !== here;
  if (state.status === "signed_in") {
    if (before.seen?.state === state && !moved(before.seen.here)) return before;
    const another = before.tenant !== null && before.tenant !== state.user.id;
    return {
      lease: before.lease + (another ? 1 : 0),
      tenant: state.user.id,
      seen: { here, state },
      left: null,
    };
  }
  if (state.status === "signed_out" && !isEnding(state.why) && before.tenant !== null) {
    const left = moved(before.seen?.here) ? null : here;
    return { lease: before.lease + 1, tenant: null, seen: null, left };
  }
  if (!moved(before.seen?.here) && !moved(before.left)) return before;
  return {
    ...before,
    seen: moved(before.seen?.here) ? null : before.seen,
    left: moved(before.left) ? null : before.left,
  };
}

/** Why a sign-in screen is shown in front of the page; null where the page itself is shown. */
export type Front = "ended" | "code" | "again" | null;

export function front(tenancy: Tenancy, state: SessionState, here: string, again: boolean): Front {
  if (tenancy.seen?.here !== here || here.startsWith("/auth/")) return null;
  switch (state.status) {
    case "signed_out":
      return isEnding(state.why) ? "ended" : null;
    case "otp_pending":
      return "code";
    case "signed_in":
      return again && state.freshness.kind === "stale" ? "again" : null;
    case "restoring":
      return null;
  }
}
