// What the state of the keyring means for the session, and what a person can do about it.

import type { SessionState } from "./auth";

export type KeyringNotice = {
  title: string;
  text: string;
  /**
   * The label of the button that makes the app try the keyring again; null where that cannot help.
   */
  action: string | null;
  /** The text after another try has failed. */
  still: string;
  /**
   * Whether the session cannot be used until the problem is solved. Otherwise this is a warning.
   */
  blocks: boolean;
};

/**
 * Whether the session's token is in a keyring that cannot be read now, so nobody knows if it is
 * valid.
 */
export function isBehindKeyring(state: SessionState): boolean {
  if (state.storage === "ok") return false;
  if (state.status === "restoring") return true;
  return state.status === "signed_in" && state.freshness.kind === "stale" && state.remembered;
}

const UNLOCK = "Unlock keyring";
const AGAIN = "Try again";
const STILL_LOCKED =
  "It is still locked. Look for its dialog on your screen and type its password.";
const STILL_ABSENT = "The app still finds no keyring.";
const STILL_REFUSED = "It still does not work.";

/** The problem with how the session is kept; null where there is none. */
export function keyringNotice(state: SessionState): KeyringNotice | null {
  if (isBehindKeyring(state)) return blockedNotice(state.storage);
  if (state.status !== "signed_in" || state.remembered) return null;
  return unsavedNotice(state.storage);
}

function blockedNotice(storage: SessionState["storage"]): KeyringNotice {
  switch (storage) {
    case "absent":
      return {
        title: "Your keyring cannot be found",
        text: "It holds your session. The app goes on as soon as the keyring runs again.",
        action: AGAIN,
        still: STILL_ABSENT,
        blocks: true,
      };
    case "locked":
      return {
        title: "Your keyring is locked",
        text: "It holds your session. Unlock it to go on.",
        action: UNLOCK,
        still: STILL_LOCKED,
        blocks: true,
      };
    case "newer":
      return {
        title: "A newer version of this app was used here",
        text: "It keeps the session in a form that this version cannot read, so it is left alone. Start the newer version to go on.",
        action: null,
        still: "",
        blocks: true,
      };
    case "memory_only":
    case "too_large":
    case "ok":
      return {
        title: "Your keyring does not answer as it should",
        text: "It holds your session. The app keeps trying to read it.",
        action: AGAIN,
        still: STILL_REFUSED,
        blocks: true,
      };
  }
}

function unsavedNotice(storage: SessionState["storage"]): KeyringNotice {
  switch (storage) {
    case "locked":
      return {
        title: "Your keyring is locked",
        text: "You stay signed in until you quit. Unlock it to stay signed in after that.",
        action: UNLOCK,
        still: STILL_LOCKED,
        blocks: false,
      };
    case "absent":
      return {
        title: "You stay signed in until you quit",
        text: "There is no keyring on this computer, or it does not run, so the session is kept in memory only.",
        action: AGAIN,
        still: STILL_ABSENT,
        blocks: false,
      };
    case "memory_only":
      return {
        title: "You stay signed in until you quit",
        text: "Your keyring did not store the session, so it is kept in memory only.",
        action: AGAIN,
        still: STILL_REFUSED,
        blocks: false,
      };
    case "too_large":
      return {
        title: "You stay signed in until you quit",
        text: "What your server sends to keep you signed in is larger than this computer's keyring can hold. Its operator can make it smaller.",
        action: null,
        still: "",
        blocks: false,
      };
    case "newer":
      return {
        title: "You stay signed in until you quit",
        text: "A newer version of this app keeps a session on this computer, which this version leaves alone.",
        action: null,
        still: "",
        blocks: false,
      };
    case "ok":
      return {
        title: "You stay signed in until you quit",
        text: "The session could not be saved on this computer.",
        action: null,
        still: "",
        blocks: false,
      };
  }
}
