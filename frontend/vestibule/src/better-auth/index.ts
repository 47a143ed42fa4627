// Better Auth's client. Its paths call the shell's commands, and its session atom follows the
// snapshot. Nothing here reaches a network or keeps a token.

import type { BetterAuthClientPlugin } from "better-auth/client";
import { createAuthClient } from "better-auth/react";
import {
  AUTH_BASE_URL,
  authFetch,
  eachVerb,
  type Given,
  type SessionRead,
  sessionRead,
  snapshots,
  VERBS,
  type Verb,
} from "../native";

const post = (body: object = {}) => ({ method: "POST" as const, body });

type Actions = { [V in Verb]: (...given: Given<V>) => Promise<unknown> };
type Fetch = (path: string, options: ReturnType<typeof post>) => Promise<unknown>;

function actions($fetch: Fetch): Actions {
  return eachVerb((verb) => {
    const { paths, fields } = VERBS[verb];
    return (given?: object) => $fetch(paths[0], post(fields ? given : {}));
  });
}

const nativeSession = {
  id: "native-session",
  getActions: ($fetch) => ({
    ...actions($fetch),
    // Better Auth's own sign-out announces itself to other tabs through localStorage. Here the
    // shell tells the other windows, so nothing needs to be written.
    signOut: () => $fetch("/sign-out", post()),
  }),
} satisfies BetterAuthClientPlugin;

export const client = createAuthClient({
  baseURL: AUTH_BASE_URL,
  plugins: [nativeSession],
  disableDefaultFetchPlugins: true,
  fetchOptions: {
    customFetchImpl: authFetch,
    // The default parser makes dates of ISO strings, so every read would give a new object.
    jsonParser: (text: string) => (text === "" ? null : JSON.parse(text)),
  },
  // The shell pushes every change, so nothing has to be fetched again on focus or reconnect.
  sessionOptions: { refetchOnWindowFocus: false, refetchInterval: 0, refetchWhenOffline: true },
});

type SessionAtom = {
  value: { data: SessionRead | null; isPending: boolean };
  set: (value: unknown) => void;
};

/** Sets the client's session synchronously on every new snapshot. Called once. */
export function followSnapshots(): () => void {
  const atom = client.$store.atoms.session as unknown as SessionAtom;
  let settled = false;
  return snapshots.subscribe(() => {
    const snapshot = snapshots.get();
    if (snapshot.kind !== "known" || snapshot.changed.state.status === "restoring") return;
    const data = sessionRead(snapshot.changed.state);
    const changed = !settled || atom.value.data !== data;
    settled = true;
    atom.set({ ...atom.value, data, error: null, isPending: false, isRefetching: false });
    // Makes the client drop a read that began before this change. A later read gives the same
    // object.
    if (changed) client.$store.notify("$sessionSignal");
  });
}
