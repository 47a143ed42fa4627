// What a list of accounts says. These functions know the list alone and change nothing.

import type { AccountList, AccountStanding, AccountSummary, WorkspaceSummary } from "./ipc/wire.ts";
import { isEnding } from "./messages.ts";
import type { Ending } from "./words.ts";

/** The account that this window shows; null while none is chosen. */
export function currentAccount({ accounts, current }: AccountList): AccountSummary | null {
  return accounts.find(({ id }) => id === current) ?? null;
}

/** The workspace of an account; null where the list does not have it. */
export function workspaceOf(
  { workspaces }: AccountList,
  account: AccountSummary,
): WorkspaceSummary | null {
  return workspaces.find(({ id }) => id === account.workspace) ?? null;
}

/** Whether the app offers more than one account. A page shows nothing about accounts otherwise. */
export function offersAccounts({ most }: AccountList): boolean {
  return most > 1;
}

/**
 * Whether there are as many accounts as there may be. An account of this window in which nobody has
 * signed in is not counted, because it goes when the window leaves it.
 */
export function isFull(list: AccountList): boolean {
  const current = currentAccount(list);
  const leaving = current !== null && current.owner === null ? 1 : 0;
  return list.accounts.length - leaving >= list.most;
}

/** Whether somebody is signed in to an account, as far as this computer knows. */
export function hasSession({ kind }: AccountStanding): boolean {
  return kind === "kept" || kind === "fresh" || kind === "stale" || kind === "locked";
}

/** The ending of an account's session. */
export type AccountEnding = { account: AccountSummary; why: Ending };

/**
 * The sessions of other accounts than this window's that have ended by themselves between two lists.
 * A person who looks at the current account sees its ending there.
 */
export function endedElsewhere(before: AccountList, now: AccountList): AccountEnding[] {
  return now.accounts.flatMap((account) => {
    const { id, standing } = account;
    const held = before.accounts.find((earlier) => earlier.id === id);
    if (id === now.current || !held || !hasSession(held.standing)) return [];
    return standing.kind === "signed_out" && isEnding(standing.why)
      ? [{ account, why: standing.why }]
      : [];
  });
}
