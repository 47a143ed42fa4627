// Failures and endings in words. The sentences about failures are the core's, which sends them with
// the failure; those about the end of a session are this page's.

import { type AuthFailure, FAILURES, OBSTACLES, type Obstacle, type SignedOutReason } from "./auth";

/** What happened, and what to do about it. The message of a fault of the app is for developers. */
export function describe({ code, message }: AuthFailure): string {
  return code === "internal" ? FAILURES.internal.message : message;
}

/** What keeps the app from its server, in the same words as in the log and in the doctor. */
export function obstacleText(obstacle: Obstacle): string {
  const { problem, advice } = OBSTACLES[obstacle];
  return `${problem}. ${advice}.`;
}

export type Ending = Exclude<SignedOutReason, "never" | "by_user">;

/** Why a session ended without the user asking, and what to do. */
export const ENDINGS: Record<Ending, { title: string; text: string; grave: boolean }> = {
  expired: {
    title: "Your session has expired",
    text: "It was unused for too long, or the server ended it. Sign in to go on where you were.",
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
