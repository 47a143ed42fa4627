// Signing in and out, reading the session, and calling the backend with it. The only door to the
// session for everything above `lib/`.

import { createContext, useContext, useSyncExternalStore } from "react";
import { client, followSnapshots } from "./auth/client";
import { type AuthFailure, failure, type Result, result } from "./auth/result";
import {
  type Answer,
  backendFetch,
  counted,
  dueAt,
  eachVerb,
  type Given,
  NativeError,
  OBSTACLES,
  type Offers,
  type Permission,
  type SessionRead,
  type SessionState,
  type Snapshot,
  sessionRead,
  snapshots,
  type Verb,
  WAITING,
} from "./native";

export type { AuthFailure, Result } from "./auth/result";
export type {
  Challenge,
  DownloadProgress,
  ErrorCode,
  Obstacle,
  Offers,
  Outage,
  Permission,
  SessionRead,
  SessionState,
  SignedOutReason,
  SignInOutcome,
  Snapshot,
  StorageStatus,
  UploadProgress,
  User,
} from "./native";
export { client, dueAt, OBSTACLES };

const UNKNOWN: SessionState = {
  status: "restoring",
  outage: null,
  ownerUnknown: false,
  storage: "ok",
  may: [],
};

const NOTHING: Offers = { register: false, resendOtp: false, sessions: false, logoutAll: false };

followSnapshots();

/** The state of the session, whole: freshness, why signed out, the challenge, the storage. */
function stateOf(snapshot: Snapshot): SessionState {
  return snapshot.kind === "known" ? snapshot.changed.state : UNKNOWN;
}

function useSnapshot(): Snapshot {
  return useSyncExternalStore(snapshots.subscribe, snapshots.get, () => WAITING);
}

/** What the backend has. Nothing else is offered to a user. */
function useOffers(): Offers {
  const snapshot = useSnapshot();
  return snapshot.kind === "known" ? snapshot.changed.offers : NOTHING;
}

/**
 * What a part of the page is to take for the state of the session, in place of what is true: a page
 * that waits out of sight for its user to sign in again sees them signed in, as when they left it.
 */
export const AsOf = createContext<SessionState | null>(null);

function useAuthState(): SessionState {
  const asOf = useContext(AsOf);
  const now = stateOf(useSnapshot());
  return asOf ?? now;
}

/**
 * The user and the session, or null. Never pending once the first snapshot is in. Unlike
 * `client.useSession()` it heeds `AsOf`, without which a page that waits would not keep its forms.
 */
function useSession() {
  const query = client.useSession();
  const state = useAuthState();
  return {
    data: sessionRead(state),
    error: query.error as unknown as AuthFailure | null,
    isPending: state.status === "restoring",
    refetch: () => query.refetch(),
  };
}

/**
 * Whether the user's roles let them do this, as `plugins.vestibule.roles` declares it. For what to
 * show; what there is to protect, the backend protects.
 */
function useMay(permission: Permission): boolean {
  return useAuthState().may.includes(permission);
}

type Verbs = { [V in Verb]: (...given: Given<V>) => Promise<Result<Answer<V>>> };

const actions = client as unknown as Record<Verb, (given: unknown) => Promise<unknown>>;

/** Each verb answers data or a failure, and never rejects. */
const { verifyOtp, refreshSession, ...verbs } = eachVerb<Verbs>(
  (verb) => (given?: unknown) => result(actions[verb](given)),
);

export const auth = {
  /** Begins to follow the session. Called once by the shell of the page; again to retry. */
  start: () => snapshots.start(),

  /** `login`, `register`, `resendOtp`, `cancelOtp`, `unlockKeyring`, `logout`. */
  ...verbs,
  /** Answers the challenge of this id, and no other. */
  verifyOtp: (challenge: string, code: string) => verifyOtp({ challenge, code }),
  /** Asks the shell to refresh now. What came of it is seen in the state. */
  refresh: refreshSession,

  /** A pure read. Waits while the session is being restored. */
  getSession: async (): Promise<SessionRead | null> => {
    const { data } = await client.getSession();
    return data as unknown as SessionRead | null;
  },

  /** Calls the backend's API with the user's session; gives a real `Response`. */
  fetch: backendFetch,
  /** The same response, whose body tells how far it has come as it is read. */
  counted,
  /** What an error thrown by `auth.fetch` means. */
  failure: (cause: unknown): AuthFailure => failure(NativeError.from(cause)),

  /** The state now, outside React. */
  state: (): SessionState => stateOf(snapshots.get()),
  subscribe: snapshots.subscribe,
  useSession,
  useAuthState,
  useMay,
  useSnapshot,
  useOffers,
};
