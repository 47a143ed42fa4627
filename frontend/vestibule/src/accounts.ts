// All accounts of this computer's user, and what a person can do with them. Which of them a window
// shows is decided in Rust: the page names an account to switch to, and is loaded anew.

import { commands } from "./ipc/commands.ts";
import type { AccountList, AuthError, FoundWorkspace } from "./ipc/wire.ts";
import { failure, type Result, result } from "./result.ts";
import { createStore } from "./store.ts";
import { createSubscription } from "./subscription.ts";

/** What the page knows of the accounts. `waiting` until `start` has been called and answered. */
export type AccountsSnapshot =
  | { kind: "waiting" }
  | { kind: "failed"; error: AuthError }
  | { kind: "known"; list: AccountList };

const WAITING: AccountsSnapshot = { kind: "waiting" };

/** The newest list that a snapshot holds; null where there is none. */
export function listOf(snapshot: AccountsSnapshot): AccountList | null {
  return snapshot.kind === "known" ? snapshot.list : null;
}

export type Accounts = ReturnType<typeof createAccounts>;

/**
 * What an instance has for several accounts. No verb rejects. One that makes this window show another
 * account has the page loaded anew: after its success the page waits until it is gone.
 */
export function createAccounts() {
  const { initial, get, set, subscribe } = createStore<AccountsSnapshot>(WAITING);
  const subscription = createSubscription(commands.accounts, {
    onValue: (list) => set({ kind: "known", list }),
    onFailure: (cause) => set({ kind: "failed", error: failure(cause) }),
  });

  return {
    initial,
    get,
    subscribe,
    /** The newest list, for code outside React; null while it is not known. */
    list: (): AccountList | null => listOf(get()),

    /**
     * Subscribes to the list and reads it. Call it once, and again where the snapshot says that it has
     * failed. An app that shows no accounts need not call it. It never rejects.
     */
    start: subscription.start,
    /** Ends the subscription at once and forgets the list. */
    stop: (): void => {
      subscription.stop();
      set(WAITING);
    },

    /** Makes this window show another account. The page is loaded anew. */
    switchTo: (account: string): Promise<Result<null>> =>
      result(() => commands.switchAccount(account)),
    /**
     * Makes an account in this workspace, in which nobody is signed in yet, and shows it in this
     * window. The page is loaded anew. The account goes when it is left before somebody signs in.
     */
    add: (workspace: string): Promise<Result<null>> => result(() => commands.addAccount(workspace)),
    /** Whether this window's account stays in the list, with its owner, after a sign-out. */
    remember: (on: boolean): Promise<Result<null>> => result(() => commands.rememberAccount(on)),
    /** Signs out of an account and forgets it. The pages that show it are loaded anew. */
    remove: (account: string): Promise<Result<null>> =>
      result(() => commands.removeAccount(account)),
    /** Signs out of all accounts. */
    logoutAll: (): Promise<Result<null>> => result(commands.logoutAll),

    /**
     * Looks at the address of a backend, as a person has typed it, and says what is there. Nothing at
     * the address is contacted before, so call it only when the person asks for it.
     */
    lookAt: (typed: string): Promise<Result<FoundWorkspace>> =>
      result(() => commands.lookAtWorkspace(typed)),
    /**
     * Adds a workspace at an address that a look has found and the person has confirmed, and shows a
     * new account of it in this window. The page is loaded anew.
     */
    addWorkspace: (found: string): Promise<Result<null>> =>
      result(() => commands.addWorkspace(found)),
    /** Removes a workspace that a person has added, with all its accounts. */
    removeWorkspace: (workspace: string): Promise<Result<null>> =>
      result(() => commands.removeWorkspace(workspace)),
  };
}
