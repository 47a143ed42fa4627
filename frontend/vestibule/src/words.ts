// All words that this package has for people. Those about obstacles and failures are the core's, so
// that a window says what the log and the doctor say; the others stand here alone. An app replaces
// them with `createVestibule({ words })`.

import {
  type AccountStanding,
  type ErrorCode,
  FAILURES,
  type FailureName,
  OBSTACLES,
  type Obstacle,
  type SignedOutReason,
  type StorageStatus,
} from "./ipc/wire.ts";

/** A storage status of a session whose token cannot be read. */
export type BlockedStorage = Exclude<StorageStatus, "ok">;

/** Why a session ended without the user asking. */
export type Ending = Exclude<SignedOutReason, "never" | "by_user">;

/** How an account stands: the kind, or why nobody is signed in. */
export type StandingName = Exclude<AccountStanding["kind"], "signed_out"> | SignedOutReason;

type TitleAndText = { title: string; text: string };

export type Words = {
  /** What keeps the app from its server, as sentences without their full stops. */
  obstacles: Record<Obstacle, { problem: string; advice: string }>;
  /** The failures that a page finds by itself. */
  failures: Record<FailureName, string>;
  /**
   * Failures of commands by their code. The core says more about each than its code does, so its
   * own sentence is shown where there is none here. `other` is the code of many different failures,
   * so their sentences are always the core's.
   */
  errors: Partial<Record<Exclude<ErrorCode, "internal" | "other">, string>>;
  /** Why a session ended without the user asking, and what to do. */
  endings: Record<Ending, TitleAndText>;
  /** A session whose token is in a keyring that cannot be read, by what is wrong with it. */
  keyringBlocked: Record<BlockedStorage, TitleAndText>;
  /** A session that the keyring does not hold, by the reason. */
  keyringUnsaved: Record<StorageStatus, TitleAndText>;
  keyringActions: {
    unlock: string;
    tryAgain: string;
    stillLocked: string;
    stillAbsent: string;
    stillRefused: string;
  };
  /** How an account stands, in a list of accounts. */
  standings: Record<StandingName, string>;
  /** The session of another account has ended. `{session}` stands for the name of the session. */
  endingsElsewhere: Record<Ending, string>;
  accountNames: {
    /** An account in which nobody has signed in. */
    nobody: string;
    /** The session of an account, where all are in one workspace. */
    session: string;
    /** The session of an account, where there are several workspaces. */
    sessionAt: string;
  };
};

/** Words for some of it. Everything else is said in the package's own words. */
export type SomeWords = { [Part in keyof Words]?: Partial<Words[Part]> };

const UNREADABLE: TitleAndText = {
  title: "Your keyring does not answer as it should",
  text: "It holds your session. The app keeps trying to read it.",
};

const UNTIL_QUIT = "You stay signed in until you quit";

/** The package's own words, in English. */
export const WORDS: Words = {
  obstacles: OBSTACLES,
  failures: {
    notSignedIn: FAILURES.notSignedIn.message,
    sessionRefused: FAILURES.sessionRefused.message,
    notAllowed: FAILURES.notAllowed.message,
    unsupported: FAILURES.unsupported.message,
    rateLimited: FAILURES.rateLimited.message,
    backendFault: FAILURES.backendFault.message,
    badAnswer: FAILURES.badAnswer.message,
    tooLarge: FAILURES.tooLarge.message,
    internal: FAILURES.internal.message,
  },
  errors: {},
  endings: {
    expired: {
      title: "Your session has expired",
      text: "It was unused for too long, or the server ended it. Sign in to go on where you were.",
    },
    revoked: {
      title: "You were signed out from elsewhere",
      text: "This session was ended from another device or by an administrator. Sign in again; if you did not expect this, change your password.",
    },
    reuse: {
      title: "You were signed out to protect your account",
      text: "The server saw this session used twice, so a copy of it may be in other hands. Sign in again and change your password if you do not know why.",
    },
    device_mismatch: {
      title: "This device is not recognised",
      text: "The server tied the session to a device that looks different from this one. Sign in again to use it here.",
    },
    missing: {
      title: "Your keyring no longer holds this session",
      text: "It was removed there, or the keyring was replaced. Sign in to go on where you were.",
    },
    provider_moved: {
      title: "Your sign-in service has moved",
      text: "It is at another address now, or this app uses another one. Sign in again to go on where you were.",
    },
  },
  keyringBlocked: {
    absent: {
      title: "Your keyring cannot be found",
      text: "It holds your session. The app goes on as soon as the keyring runs again.",
    },
    locked: {
      title: "Your keyring is locked",
      text: "It holds your session. Unlock it to go on.",
    },
    newer: {
      title: "A newer version of this app was used here",
      text: "It keeps the session in a form that this version cannot read, so it is left alone. Start the newer version to go on.",
    },
    memory_only: UNREADABLE,
    too_large: UNREADABLE,
  },
  keyringUnsaved: {
    locked: {
      title: "Your keyring is locked",
      text: "You stay signed in until you quit. Unlock it to stay signed in after that.",
    },
    absent: {
      title: UNTIL_QUIT,
      text: "There is no keyring on this computer, or it does not run, so the session is kept in memory only.",
    },
    memory_only: {
      title: UNTIL_QUIT,
      text: "Your keyring did not store the session, so it is kept in memory only.",
    },
    too_large: {
      title: UNTIL_QUIT,
      text: "What your server sends to keep you signed in is larger than this computer's keyring can hold. Its operator can make it smaller.",
    },
    newer: {
      title: UNTIL_QUIT,
      text: "A newer version of this app keeps a session on this computer, which this version leaves alone.",
    },
    ok: {
      title: UNTIL_QUIT,
      text: "The session could not be saved on this computer.",
    },
  },
  keyringActions: {
    unlock: "Unlock keyring",
    tryAgain: "Try again",
    stillLocked: "It is still locked. Look for its dialog on your screen and type its password.",
    stillAbsent: "The app still finds no keyring.",
    stillRefused: "It still does not work.",
  },
  standings: {
    restoring: "Opening…",
    kept: "Signed in",
    fresh: "Online",
    stale: "Offline",
    locked: "Keyring locked",
    challenged: "Signing in…",
    never: "Not signed in",
    by_user: "Signed out",
    expired: "Session expired",
    revoked: "Signed out from elsewhere",
    reuse: "Signed out to protect it",
    device_mismatch: "Device not recognised",
    missing: "Gone from the keyring",
    provider_moved: "Sign-in service has moved",
  },
  endingsElsewhere: {
    expired: "{session} has expired.",
    revoked: "{session} was ended from elsewhere.",
    reuse: "{session} was ended to protect the account.",
    device_mismatch: "{session} has ended: the server does not recognise this device.",
    missing: "{session} is no longer in your keyring.",
    provider_moved: "{session} has ended: its sign-in service has moved.",
  },
  accountNames: {
    nobody: "New account",
    session: "{name}’s session",
    sessionAt: "{name}’s session at {workspace}",
  },
};

/** All words: an app's own where it has them. */
export function completeWords(some: SomeWords = {}): Words {
  return {
    obstacles: { ...WORDS.obstacles, ...some.obstacles },
    failures: { ...WORDS.failures, ...some.failures },
    errors: { ...WORDS.errors, ...some.errors },
    endings: { ...WORDS.endings, ...some.endings },
    keyringBlocked: { ...WORDS.keyringBlocked, ...some.keyringBlocked },
    keyringUnsaved: { ...WORDS.keyringUnsaved, ...some.keyringUnsaved },
    keyringActions: { ...WORDS.keyringActions, ...some.keyringActions },
    standings: { ...WORDS.standings, ...some.standings },
    endingsElsewhere: { ...WORDS.endingsElsewhere, ...some.endingsElsewhere },
    accountNames: { ...WORDS.accountNames, ...some.accountNames },
  };
}
