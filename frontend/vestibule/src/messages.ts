// Failures, obstacles, endings and accounts as a page shows them, in the words of an instance.

import {
  type AccountStanding,
  type AccountSummary,
  type AuthError,
  FAILURES,
  type FailureName,
  type Obstacle,
  type SessionState,
  type SignedOutReason,
  STATUS_MEANINGS,
} from "./ipc/wire.ts";
import { type KeyringNotice, keyringNotice } from "./keyring.ts";
import type { Ending, StandingName, Words } from "./words.ts";

export function isEnding(why: SignedOutReason): why is Ending {
  return why !== "never" && why !== "by_user";
}

/** Endings after which somebody else may have, or have had, a way into the account. */
const GRAVE: readonly Ending[] = ["revoked", "reuse"];

/** A text with values in the places of their names in braces. */
function filled(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

function standingName(standing: AccountStanding): StandingName {
  return standing.kind === "signed_out" ? standing.why : standing.kind;
}

export type Messages = ReturnType<typeof createMessages>;

export function createMessages(words: Words) {
  const failures = Object.fromEntries(
    Object.entries(FAILURES).map(([name, failure]) => {
      return [name, { ...failure, message: words.failures[name as FailureName] }];
    }),
  ) as Record<FailureName, AuthError>;

  /** What keeps the app from its server, in the same words as in the log and in the doctor. */
  function obstacle(what: Obstacle): string {
    const { problem, advice } = words.obstacles[what];
    return `${problem}. ${advice}.`;
  }

  /** Whose an account is: the owner's name, or that it is new. */
  function accountName({ owner }: AccountSummary): string {
    return owner?.name ?? words.accountNames.nobody;
  }

  return {
    /** The failures that a page finds by itself. */
    failures,
    obstacle,
    /**
     * What happened, and what to do about it. The message of a fault of the app is for developers,
     * so people read other words.
     */
    describe: ({ code, message }: AuthError): string => {
      if (code === "internal") return words.failures.internal;
      return (code === "other" ? undefined : words.errors[code]) ?? message;
    },
    /** The failure that a status of the backend stands for. */
    ofStatus: (status: number): AuthError => {
      const hundred = Math.trunc(status / 100) * 100;
      const meaning = STATUS_MEANINGS[status] ?? STATUS_MEANINGS[hundred];
      const failure = failures[meaning?.failure ?? "badAnswer"];
      return meaning?.obstacle ? { ...failure, message: obstacle(meaning.obstacle) } : failure;
    },
    /** Why a session ended, and whether its user should be alarmed. */
    ending: (why: Ending) => ({ ...words.endings[why], grave: GRAVE.includes(why) }),
    /** The problem with how the session is kept; null where there is none. */
    keyring: (state: SessionState): KeyringNotice | null => keyringNotice(state, words),
    accountName,
    /** How an account stands, for a list of accounts. */
    standing: (standing: AccountStanding): string => words.standings[standingName(standing)],
    /**
     * The session of an account that this window does not show has ended. `workspace` is the name of
     * its workspace; null where there is only one.
     */
    endedElsewhere: (account: AccountSummary, why: Ending, workspace: string | null): string => {
      const { session, sessionAt } = words.accountNames;
      const values = { name: accountName(account), workspace: workspace ?? "" };
      const whose = filled(workspace === null ? session : sessionAt, values);
      return filled(words.endingsElsewhere[why], { session: whose });
    },
  };
}
