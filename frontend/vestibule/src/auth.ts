// Signing in and out, reading the session, and calling the backend with it. Everything outside
// `lib/` uses the session through this module only.

import { createContext, useContext, useSyncExternalStore } from "react";
import { client, followSnapshots } from "./auth/client";
import { type AuthFailure, failure, type Result, result } from "./auth/result";
import {
  type Answer,
  type BackendFeatures,
  backendFetch,
  counted,
  dueAt,
  eachVerb,
  FAILURES,
  type Given,
  NativeError,
  OBSTACLES,
  type Right,
  type SessionRead,
  type SessionState,
  type Snapshot,
  STATUS_MEANINGS,
  sessionRead,
  snapshots,
  type Verb,
  WAITING,
} from "./native";

export type { AuthFailure, Result } from "./auth/result";
export type {
  BackendFeatures,
  Challenge,
  DownloadProgress,
  ErrorCode,
  Obstacle,
  Outage,
  Right,
  SessionRead,
  SessionState,
  SignedOutReason,
  SignInOutcome,
  Snapshot,
  StorageStatus,
  UploadProgress,
  User,
} from "./native";
export { client, dueAt, FAILURES, OBSTACLES, STATUS_MEANINGS };

const UNKNOWN: SessionState = {
  status: "restoring",
  outage: null,
  ownerUnknown: false,
  storage: "ok",
  may: [],
};

const NOTHING: BackendFeatures = {
  register: false,
  resendOtp: false,
  sessions: false,
  logoutAll: false,
};

followSnapshots();

/** The whole state of the session: freshness, why it ended, the challenge, the storage. */
function stateOf(snapshot: Snapshot): SessionState {
  return snapshot.kind === "known" ? snapshot.changed.state : UNKNOWN;
}

function useSnapshot(): Snapshot {
  return useSyncExternalStore(snapshots.subscribe, snapshots.get, () => WAITING);
}

/** What the backend offers. A page offers nothing else to a user. */
function useFeatures(): BackendFeatures {
  const snapshot = useSnapshot();
  return snapshot.kind === "known" ? snapshot.changed.offers : NOTHING;
}

/**
 * Overrides the state of the session for a part of the page. A hidden page that waits until its
 * user has signed in again sees the state in which the user was last signed in.
 */
export const AsOf = createContext<SessionState | null>(null);

function useAuthState(): SessionState {
  const asOf = useContext(AsOf);
  const now = stateOf(useSnapshot());
  return asOf ?? now;
}

/**
 * The user and the session, or null. It is never pending after the first snapshot. Unlike
 * `client.useSession()` it respects `AsOf`; otherwise a hidden page that waits would lose its
 * forms.
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
 * Whether the user's roles include this right, as `plugins.vestibule.roles` declares. Use it
 * to decide what to show. It protects nothing: only the backend can.
 */
function useMay(right: Right): boolean {
  return useAuthState().may.includes(right);
}

type Verbs = { [V in Verb]: (...given: Given<V>) => Promise<Result<Answer<V>>> };

const actions = client as unknown as Record<Verb, (given: unknown) => Promise<unknown>>;

/** Each verb answers data or a failure, and never rejects. */
const { verifyOtp, refreshSession, ...verbs } = eachVerb<Verbs>(
  (verb) => (given?: unknown) => result(actions[verb](given)),
);

export const auth = {
  /** Subscribes to the session. The app's frame calls it once, and again to retry. */
  start: () => snapshots.start(),

  /** `login`, `register`, `resendOtp`, `cancelOtp`, `unlockKeyring`, `logout`. */
  ...verbs,
  /** Answers the challenge of this id, and no other. */
  verifyOtp: (challenge: string, code: string) => verifyOtp({ challenge, code }),
  /** Asks the shell to refresh now. What came of it is seen in the state. */
  refresh: refreshSession,

  /** Reads the session without a request. Waits until the session is restored. */
  getSession: async (): Promise<SessionRead | null> => {
    const { data } = await client.getSession();
    return data as unknown as SessionRead | null;
  },

  /** Calls the backend's API with the user's session and returns a real `Response`. */
  fetch: backendFetch,
  /** The same response, whose body reports its progress while it is read. */
  counted,
  /** The failure that an error thrown by `auth.fetch` stands for. */
  failure: (cause: unknown): AuthFailure => failure(NativeError.from(cause)),

  /** The current state, for code outside React. */
  state: (): SessionState => stateOf(snapshots.get()),
  subscribe: snapshots.subscribe,
  useSession,
  useAuthState,
  useMay,
  useSnapshot,
  useFeatures,
};
