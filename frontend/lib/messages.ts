// Failures in plain words: what happened, and what to do about it.

import {
  type AuthFailure,
  type ErrorCode,
  OBSTACLES,
  type Obstacle,
  type SignedOutReason,
} from "./auth";

/** A failure in words: what happened, and the one thing to do about it. */
type Words = {
  what: string;
  /** `null` where nothing that the person could do would help; that is said on purpose. */
  action: string | null;
  /** Whether the sender's own message, where there is one, says more than we can. */
  theirs?: true;
};

// By code, and whole: a code without words, or without an answer to "what now?", does not compile.
export const WORDS: Record<ErrorCode, Words> = {
  invalid_input: {
    what: "Something in the form was not accepted.",
    action: "Check it and try again.",
    theirs: true,
  },
  account_blocked: {
    what: "This account may not sign in.",
    action: "Ask whoever manages it.",
    theirs: true,
  },
  invalid_credentials: {
    what: "That e-mail and password do not match.",
    action: "Check both and try again.",
  },
  account_locked: {
    what: "This account is locked after too many tries.",
    action: "Wait a while, then try again.",
  },
  email_taken: {
    what: "There is already an account with this address.",
    action: "Sign in instead.",
  },
  rate_limited: {
    what: "The server asks to wait before the next try.",
    action: "Try again when the time is up.",
  },
  // Theirs say what there was too much of.
  busy: {
    what: "It was tried a moment ago.",
    action: "Wait a little before the next try.",
    theirs: true,
  },
  otp_invalid: { what: "That code is not right.", action: "Check it and type it again." },
  otp_expired: { what: "The code has expired.", action: "Sign in again to get a new one." },
  otp_too_many: { what: "Too many wrong codes.", action: "Sign in again to get a new one." },
  no_challenge: { what: "No code is being asked for any more.", action: "Sign in again." },
  not_signed_in: { what: "Nobody is signed in.", action: "Sign in, then try again." },
  session_ended: { what: "Your session has ended.", action: "Sign in again." },
  session_refused: {
    what: "The server does not accept your session for this. You stay signed in.",
    action: "Try again in a moment. If that does not help, sign out and in again.",
  },
  keyring_unread: {
    what: "The keyring that holds your session cannot be read.",
    action: "Unlock it, then try again.",
  },
  // Theirs say what stands between, and who can mend it: see `Obstacle` in the core.
  unreachable: {
    what: "The server cannot be reached.",
    action: "Check your connection and try again.",
    theirs: true,
  },
  backend_fault: {
    what: "The server had a problem. Nothing is lost.",
    action: "Try again in a moment.",
    theirs: true,
  },
  bad_answer: {
    what: "The server sent something this app does not understand.",
    action: "Try again in a moment.",
    theirs: true,
  },
  not_allowed: {
    what: "Your account may not do this, the server says.",
    action: "If it should, ask whoever manages your account.",
  },
  path_refused: {
    what: "This app is not set up to ask the server for that.",
    action: "If it should be, ask whoever manages the app.",
  },
  too_large: { what: "That is more than this app takes at once.", action: "Try it with less." },
  unknown_workspace: {
    what: "This window belongs to a workspace that does not exist.",
    action: "Close it and start the app again.",
  },
  // No other try and nobody's leave brings what a server does not have.
  unsupported: { what: "The server does not offer this.", action: null },
  // Their words name the file, the key and the reason.
  misconfigured: {
    what: "The settings of this app are not valid.",
    action: "Ask whoever manages it.",
    theirs: true,
  },
  // Theirs name the folder and what is to be done with it.
  cannot_start: {
    what: "The app cannot start.",
    action: "Restart the computer, then try again.",
    theirs: true,
  },
  internal: {
    what: "Something went wrong inside the app.",
    action: "Try again, or restart it.",
  },
};

export function describe({ code, message }: AuthFailure): string {
  const { what, action, theirs } = WORDS[code];
  const own = action === null ? what : `${what} ${action}`;
  return (theirs && message.trim()) || own;
}

/** What stands between the app and its server. The words are the core's: the log and the doctor say the same. */
export function obstacleWords(obstacle: Obstacle): string {
  const { says, mend } = OBSTACLES[obstacle];
  return `${says}. ${mend}.`;
}

export type Ending = Exclude<SignedOutReason, "never" | "by_user">;

/** Why a session ended without the user asking, and what to do. */
export const ENDINGS: Record<Ending, { title: string; text: string; grave: boolean }> = {
  expired: {
    title: "Your session has expired",
    text: "It was not used for too long, or the server ended it. Sign in to go on where you were.",
    grave: false,
  },
  revoked: {
    title: "You were signed out from elsewhere",
    text: "This session was ended from another device or by an administrator. Sign in again; if you did not expect this, change your password.",
    grave: true,
  },
  reuse: {
    title: "You were signed out to protect your account",
    text: "The server saw this session used twice, so a copy of it may be in other hands. Sign in again and change your password if you do not know why.",
    grave: true,
  },
  device_mismatch: {
    title: "This device is not recognised",
    text: "The server tied the session to a device that looks different from this one. Sign in again to use it here.",
    grave: false,
  },
  missing: {
    title: "Your keyring no longer holds this session",
    text: "It was removed there, or the keyring was replaced. Sign in to go on where you were.",
    grave: false,
  },
};

export function isEnding(why: SignedOutReason): why is Ending {
  return why !== "never" && why !== "by_user";
}
