// What the state of the keyring means for a session, in plain words.

import type { SessionState } from "./auth";

export type Trouble = {
  title: string;
  text: string;
  /** What the button says that makes the app try the keyring again; null where that is no help. */
  action: string | null;
  /** What is said when that was of no use. */
  still: string;
  /** Nothing can go on before it is over; otherwise it is a warning. */
  blocks: boolean;
};

/** The session lies in a keyring that cannot be read: only then is it known whether it is good. */
export function isBehindKeyring(state: SessionState): boolean {
  if (state.storage === "ok") return false;
  if (state.status === "restoring") return true;
  return state.status === "signed_in" && state.freshness.kind === "stale" && state.remembered;
}

const UNLOCK = "Unlock keyring";
const AGAIN = "Try again";
const STILL_LOCKED =
  "It is still locked. Look for its question on your screen and type its password.";
const STILL_ABSENT = "There still is none.";
const STILL_REFUSED = "It still does not work.";

/** What is wrong with how the session is kept; null while all is well. */
export function keyringTrouble(state: SessionState): Trouble | null {
  if (isBehindKeyring(state)) return behind(state.storage);
  if (state.status !== "signed_in" || state.remembered) return null;
  return unkept(state.storage);
}

function behind(storage: SessionState["storage"]): Trouble {
  switch (storage) {
    case "absent":
      return {
        title: "Your keyring cannot be found",
        text: "What keeps you signed in is inside. As soon as it runs again, you go on.",
        action: AGAIN,
        still: STILL_ABSENT,
        blocks: true,
      };
    case "locked":
      return {
        title: "Your keyring is locked",
        text: "What keeps you signed in is inside. Unlock it to go on.",
        action: UNLOCK,
        still: STILL_LOCKED,
        blocks: true,
      };
    case "newer":
      return {
        title: "A newer version of this app was here",
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
        text: "What keeps you signed in is inside. It is tried again by itself.",
        action: AGAIN,
        still: STILL_REFUSED,
        blocks: true,
      };
  }
}

function unkept(storage: SessionState["storage"]): Trouble {
  switch (storage) {
    case "locked":
      return {
        title: "Your keyring is locked",
        text: "You stay signed in until you quit. Unlock it to be remembered after that.",
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
        text: "Your keyring would not take the session, so it is kept in memory only.",
        action: AGAIN,
        still: STILL_REFUSED,
        blocks: false,
      };
    case "too_large":
      return {
        title: "You stay signed in until you quit",
        text: "What your server sends to keep you signed in is larger than this computer’s keyring can hold. Its operator can make it smaller.",
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
