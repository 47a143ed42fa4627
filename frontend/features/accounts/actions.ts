"use client";

import { type AccountList, type AccountSummary, type AuthError, currentAccount } from "vestibule";
import { accounts, messages } from "@/lib/vestibule";
import { untilReloaded } from "./reloading";

// What people do with accounts, with the words that are shown meanwhile.

export function switchTo(account: AccountSummary): Promise<AuthError | null> {
  return untilReloaded(`Opening ${messages.accountName(account)}…`, () =>
    accounts.switchTo(account.id),
  );
}

export function addAccount(workspace: string): Promise<AuthError | null> {
  return untilReloaded("Opening a new account…", () => accounts.add(workspace));
}

export function addWorkspace(found: string): Promise<AuthError | null> {
  return untilReloaded("Adding the server…", () => accounts.addWorkspace(found));
}

/** Removes an account. Where it is this window's, the page is loaded anew. */
export async function removeAccount(
  list: AccountList,
  account: AccountSummary,
): Promise<AuthError | null> {
  const work = () => accounts.remove(account.id);
  if (account.id !== list.current) return (await work()).error;
  return untilReloaded(`Removing ${messages.accountName(account)}…`, work);
}

/** Removes a workspace. Where this window's account is in it, the page is loaded anew. */
export async function removeWorkspace(
  list: AccountList,
  workspace: string,
): Promise<AuthError | null> {
  const work = () => accounts.removeWorkspace(workspace);
  if (currentAccount(list)?.workspace !== workspace) return (await work()).error;
  return untilReloaded("Removing the server…", work);
}
