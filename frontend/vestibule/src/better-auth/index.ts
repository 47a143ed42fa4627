"use client";

// Better Auth's client over an instance: for pages that are written for it. Its session follows the
// snapshot, and its actions are those of `auth`. Nothing here reaches a network or keeps a token.

import type { BetterAuthClientPlugin } from "better-auth/client";
import { createAuthClient, type ReactAuthClient } from "better-auth/react";
import {
  type Challenge,
  type Result,
  type SessionRead,
  type SignInOutcome,
  stateOf,
  type Vestibule,
} from "../index.ts";
import { AUTH_BASE_URL, createAuthFetch } from "./fetch.ts";

type NativeSession = ReturnType<typeof nativeSession>;
type Client = ReactAuthClient<{ plugins: NativeSession[]; disableDefaultFetchPlugins: true }>;

type Session = {
  data: SessionRead | null;
  error: Error | null;
  isPending: boolean;
  isRefetching: boolean;
  refetch: () => Promise<void>;
};

/** Better Auth's React client. Its session has what the instance's has, and so no token. */
export type BetterAuthClient = Omit<Client, "useSession" | "getSession" | "$Infer"> & {
  useSession: () => Session;
  getSession: () => Promise<Result<SessionRead | null>>;
  $Infer: { Session: SessionRead };
};

/** Makes a client whose session is the instance's. */
export function createBetterAuthClient(vestibule: Vestibule): BetterAuthClient {
  const client: Client = createAuthClient({
    baseURL: AUTH_BASE_URL,
    plugins: [nativeSession(vestibule)],
    disableDefaultFetchPlugins: true,
    fetchOptions: {
      customFetchImpl: createAuthFetch(vestibule.auth),
      // The default parser makes dates of ISO strings, so every read would give a new object.
      jsonParser: (text: string) => (text === "" ? null : JSON.parse(text)),
    },
    // The plugin pushes every change, so nothing has to be fetched again on focus or reconnect.
    sessionOptions: { refetchOnWindowFocus: false, refetchInterval: 0, refetchWhenOffline: true },
  });
  followSnapshots(vestibule, client.$store);
  return client as unknown as BetterAuthClient;
}

type Fetch = (path: string, options: Record<string, unknown>) => Promise<unknown>;
/** What the verbs of Better Auth's plugin `twoFactor` take beside the code. */
type FactorCode = { code: string; trustDevice?: boolean };
type FetchOptions = Record<string, unknown>;
type SignOutOptions = { fetchOptions?: Record<string, unknown> };

/** The verbs of the session. Except `signOut` they go to `auth` as they are, past the client's fetch. */
function nativeSession({ auth }: Vestibule) {
  return {
    id: "native-session",
    getActions: ($fetch: Fetch) => {
      const send = <T>(path: string, body: unknown, fetchOptions?: FetchOptions) =>
        $fetch(path, { ...fetchOptions, method: "POST", body }) as Promise<Result<T>>;
      const answered =
        (path: string) =>
        ({ code, trustDevice }: FactorCode, fetchOptions?: FetchOptions) =>
          send<SignInOutcome>(path, { code, trustDevice }, fetchOptions);
      return {
        login: auth.login,
        register: auth.register,
        verifyOtp: auth.verifyOtp,
        sendOtp: auth.sendOtp,
        cancelOtp: auth.cancelOtp,
        signInByBrowser: auth.signInByBrowser,
        openBrowserAgain: auth.openBrowserAgain,
        copyBrowserAddress: auth.copyBrowserAddress,
        cancelBrowserSignIn: auth.cancelBrowserSignIn,
        unlockKeyring: auth.unlockKeyring,
        logout: auth.logout,
        refreshSession: auth.refresh,
        // Better Auth's own sign-out announces itself to other tabs through localStorage. Here the
        // plugin tells the other windows, so nothing needs to be written.
        // The verbs of Better Auth's plugin `twoFactor` that belong to a sign-in.
        twoFactor: {
          verifyTotp: answered("/two-factor/verify-totp"),
          verifyOtp: answered("/two-factor/verify-otp"),
          verifyBackupCode: answered("/two-factor/verify-backup-code"),
          sendOtp: (_none?: unknown, fetchOptions?: FetchOptions) =>
            send<Challenge>("/two-factor/send-otp", {}, fetchOptions),
        },
        signOut: ({ fetchOptions }: SignOutOptions = {}) =>
          $fetch("/sign-out", { ...fetchOptions, method: "POST", body: {} }),
      };
    },
  } satisfies BetterAuthClientPlugin;
}

type SessionAtom = { value: Session; set: (value: Session) => void };

type ClientStore = { atoms: Record<string, unknown>; notify: (signal: string) => void };

/**
 * Sets the client's session synchronously on every new snapshot. It is pending until the first one,
 * and again while a session is restored or after the instance was stopped.
 */
function followSnapshots({ auth, snapshots }: Vestibule, store: ClientStore): void {
  const atom = store.atoms.session as SessionAtom;
  let settled = false;
  // A component that mounts makes Better Auth read the session again. During that read Better Auth
  // sets `isPending` to true where it knows of no session, although the snapshot has settled that there
  // is none. So the snapshot decides here about `isPending`, and what Better Auth sets is dropped.
  const set = atom.set.bind(atom);
  atom.set = (value) => set({ ...value, isPending: !settled, refetch });
  // The snapshot sets the session whenever it changes, so a refetch only waits until it is known.
  const refetch = async () => {
    await auth.getSession();
  };
  atom.set(atom.value);
  const follow = () => {
    const state = stateOf(snapshots.get());
    const known = state.status !== "restoring";
    if (!known && !settled) return;
    const data = snapshots.read(state);
    const changed = known !== settled || atom.value.data !== data;
    settled = known;
    atom.set({ ...atom.value, data, error: null, isRefetching: false });
    // Makes the client drop a read that began before this change. A later read gives the same
    // object.
    if (changed) store.notify("$sessionSignal");
  };
  // The session may be known already where the client is made late.
  follow();
  snapshots.subscribe(follow);
}
