// Makes an instance: everything that a page holds of one account's session, and the list of all
// accounts. The number of the last call to the backend is of no account, and all instances of a page
// share it.

import { type Accounts, createAccounts } from "./accounts.ts";
import { type Auth, createAuth } from "./auth.ts";
import { createDesktop, type Desktop } from "./desktop.ts";
import { createBackendFetch } from "./fetch/backend-fetch.ts";
import { createPublicFetch } from "./fetch/public-fetch.ts";
import { createLinks, type Links } from "./links.ts";
import { createMessages, type Messages } from "./messages.ts";
import { createSnapshotStore, type SnapshotStore } from "./snapshots.ts";
import { completeWords, type SomeWords } from "./words.ts";

export type VestibuleOptions = {
  /** Words that replace the package's own. */
  words?: SomeWords;
};

export type Vestibule = {
  /** Signing in and out, reading the session, and calling the backend with it. */
  auth: Auth;
  /** The list of all accounts, and switching between them. Start it in an app that offers several. */
  accounts: Accounts;
  /** What links ask that were opened from outside the app. Start it in an app that has a scheme. */
  links: Links;
  /** Windows, theme, log, public content and the app's own commands. */
  desktop: Desktop;
  /** What a page says about failures, obstacles, endings, the keyring and accounts. */
  messages: Messages;
  /** The newest state of the session: the one thing of its account that changes. */
  snapshots: SnapshotStore;
};

export function createVestibule({ words }: VestibuleOptions = {}): Vestibule {
  const messages = createMessages(completeWords(words));
  const snapshots = createSnapshotStore();
  const auth = createAuth(snapshots, messages, createBackendFetch(messages.failures.badAnswer));
  const desktop = createDesktop(createPublicFetch(messages.failures.tooLarge));
  const [accounts, links] = [createAccounts(), createLinks()];
  return { auth, accounts, links, desktop, messages, snapshots };
}
