// Failures in plain words: what happened, and what to do about it.

import type { AuthFailure, ErrorCode, SignedOutReason } from "./auth";

const WORDS: Record<ErrorCode, string | null> = {
  // Where the backend's own words say more than we can, they are shown.
  invalid_input: null,
  account_blocked: null,
  invalid_credentials: "That e-mail and password do not match. Check both and try again.",
  account_locked: "This account is locked after too many tries. Wait a while, then try again.",
  email_taken: "There is already an account with this address. Sign in instead.",
  rate_limited: "Too many tries. Wait a moment before the next one.",
  otp_invalid: "That code is not right. Check it and type it again.",
  otp_expired: "The code has expired. Sign in again to get a new one.",
  otp_too_many: "Too many wrong codes. Sign in again to get a new one.",
  no_challenge: "No code is being asked for any more. Sign in again.",
  not_signed_in: "You are not signed in.",
  session_ended: "Your session has ended. Sign in again.",
  unreachable: "The server cannot be reached. Check your connection and try again.",
  backend_fault: "The server had a problem. Nothing is lost; try again in a moment.",
  bad_answer: "The server sent something this app does not understand. Try again in a moment.",
  not_allowed: "Your account may not do this, the server says.",
  path_refused: "You may not do this.",
  too_large: "The answer was too large to show.",
  unknown_workspace: "This workspace does not exist.",
  unsupported: "The server does not offer this.",
  // Names the file, the key and the reason.
  misconfigured: null,
  internal: "Something went wrong inside the app. Try again, or restart it.",
};

const FALLBACK: Partial<Record<ErrorCode, string>> = {
  invalid_input: "Something in the form was not accepted. Check it and try again.",
  account_blocked: "This account may not sign in. Ask whoever manages it.",
  misconfigured: "The settings of this app are not valid. Ask whoever manages it.",
};

export function describe({ code, message }: AuthFailure): string {
  return WORDS[code] ?? (message.trim() || (FALLBACK[code] ?? "Something went wrong."));
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
