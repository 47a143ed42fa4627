// The page's access to the shell: commands, the one subscription, and the two fetches.

import { createAuthFetch } from "./auth-fetch";
import { createSnapshotStore } from "./snapshot";

export {
  type Answer,
  AUTH_BASE_URL,
  eachVerb,
  type Given,
  VERBS,
  type Verb,
} from "./auth-fetch";
export { type BackendInit, backendFetch, type UploadProgress } from "./backend-fetch";
export { commands } from "./commands";
export { dueAt } from "./deadlines";
export { isAuthError, NativeError } from "./errors";
export { counted, type DownloadProgress } from "./progress";
export { publicFetch } from "./public-fetch";
export type { Right } from "./rights";
export { type SessionRead, sessionRead } from "./session-read";
export { type Snapshot, WAITING } from "./snapshot";
export type * from "./wire";
export { FAILURES, OBSTACLES, STATUS_MEANINGS } from "./wire";

/** The state of the session, as this page knows it. */
export const snapshots = createSnapshotStore();

/** The fetch of Better Auth's client. */
export const authFetch = createAuthFetch(snapshots);
