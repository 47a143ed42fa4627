import { isEnding, type SessionState } from "vestibule";

// Whose page the window shows, and whether the page is kept. When a session expires or the backend
// ends it, the app keeps the user's page in memory and hides it until the user has signed in again.
// It is discarded when the user signs out, when another person signs in, or when the window shows
// another page.

export type SignedIn = Extract<SessionState, { status: "signed_in" }>;

export type KeptPageState = {
  /** The key of the page. A new number discards the old page. */
  key: number;
  /** The id of the user whose page it is. */
  ownerId: string | null;
  /**
   * The address and the state when the user was last signed in; null once the window has left it.
   */
  lastSignedIn: { url: string; state: SignedIn } | null;
  /** The address at which the user signed out. */
  signedOutAt: string | null;
};

export const NO_PAGE: KeptPageState = {
  key: 0,
  ownerId: null,
  lastSignedIn: null,
  signedOutAt: null,
};

/** The kept page after a new state at `url`; the same object where nothing has changed. */
export function nextPage(before: KeptPageState, state: SessionState, url: string): KeptPageState {
  const moved = (other: string | null | undefined) => other != null && other !== url;
  if (state.status === "signed_in") {
    if (before.lastSignedIn?.state === state && !moved(before.lastSignedIn.url)) return before;
    const another = before.ownerId !== null && before.ownerId !== state.user.id;
    return {
      key: before.key + (another ? 1 : 0),
      ownerId: state.user.id,
      lastSignedIn: { url, state },
      signedOutAt: null,
    };
  }
  if (state.status === "signed_out" && !isEnding(state.why) && before.ownerId !== null) {
    const signedOutAt = moved(before.lastSignedIn?.url) ? null : url;
    return { key: before.key + 1, ownerId: null, lastSignedIn: null, signedOutAt };
  }
  if (!moved(before.lastSignedIn?.url) && !moved(before.signedOutAt)) return before;
  return {
    ...before,
    lastSignedIn: moved(before.lastSignedIn?.url) ? null : before.lastSignedIn,
    signedOutAt: moved(before.signedOutAt) ? null : before.signedOutAt,
  };
}

/** Why a sign-in screen is shown in front of the page; null where the page itself is shown. */
export type SignInReason = "ended" | "code" | "browser" | "reauthenticate" | null;

export function signInReason(
  page: KeptPageState,
  state: SessionState,
  url: string,
  reauthenticating: boolean,
): SignInReason {
  if (page.lastSignedIn?.url !== url || url.startsWith("/auth/")) return null;
  switch (state.status) {
    case "signed_out":
      return isEnding(state.why) ? "ended" : null;
    case "otp_pending":
      return "code";
    case "browser_pending":
      return "browser";
    case "signed_in":
      return reauthenticating && state.freshness.kind === "stale" ? "reauthenticate" : null;
    case "restoring":
      return null;
  }
}
