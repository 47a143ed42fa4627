// The package without React: an instance, what it gives, and the types that cross to the page.

export {
  type AccountEnding,
  currentAccount,
  endedElsewhere,
  hasSession,
  isFull,
  offersAccounts,
  workspaceOf,
} from "./account-list.ts";
export { type Accounts, type AccountsSnapshot, listOf } from "./accounts.ts";
export type { Auth, OtpAnswer } from "./auth.ts";
export { codeOf } from "./codes.ts";
export type { Desktop } from "./desktop.ts";
export type { BackendFetch, BackendInit } from "./fetch/backend-fetch.ts";
export type { DownloadProgress } from "./fetch/progress.ts";
export type { PublicFetch } from "./fetch/public-fetch.ts";
export type { UploadProgress } from "./fetch/upload.ts";
export { NativeError } from "./ipc/errors.ts";
export type * from "./ipc/wire.ts";
export { isBehindKeyring, type KeyringNotice } from "./keyring.ts";
export type { Links } from "./links.ts";
export { isEnding, type Messages } from "./messages.ts";
export { perInstance } from "./per-instance.ts";
export type { Result } from "./result.ts";
export type * from "./rights.ts";
export type { SessionRead } from "./session-read.ts";
export {
  offeredBy,
  type Snapshot,
  type SnapshotStore,
  type StartFailure,
  stateOf,
} from "./snapshots.ts";
export { createStore, type ReadonlyStore, type Store } from "./store.ts";
export { createVestibule, type Vestibule, type VestibuleOptions } from "./vestibule.ts";
export { type Ending, type SomeWords, type StandingName, WORDS, type Words } from "./words.ts";
