"use client";

// The hooks of React. Each reads the instance of the provider above it.

import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";
import {
  type AccountList,
  type AccountsSnapshot,
  type BackendFeatures,
  type LinkNotice,
  listOf,
  offeredBy,
  type ReadonlyStore,
  type Right,
  type SessionRead,
  type SessionState,
  type Snapshot,
  stateOf,
  type Vestibule,
} from "../index.ts";

const Instance = createContext<Vestibule | null>(null);

/** Gives an instance to everything inside. */
export function VestibuleProvider({
  vestibule,
  children,
}: {
  vestibule: Vestibule;
  children: ReactNode;
}) {
  return <Instance.Provider value={vestibule}>{children}</Instance.Provider>;
}

/** The instance of the nearest provider. */
export function useVestibule(): Vestibule {
  const vestibule = useContext(Instance);
  if (!vestibule) throw new Error("There is no <VestibuleProvider> around this component.");
  return vestibule;
}

/** The value of a store. A page that is rendered in advance shows the value that the store began with. */
export function useStore<T>({ subscribe, get, initial }: ReadonlyStore<T>): T {
  return useSyncExternalStore(subscribe, get, () => initial);
}

/** What the page knows of the session, and why where it knows nothing. */
export function useSnapshot(): Snapshot {
  return useStore(useVestibule().snapshots);
}

/**
 * Overrides the state of the session for a part of the page, such as one that stays hidden as it was
 * until its user has signed in again.
 */
export const AsOf = createContext<SessionState | null>(null);

/** The whole state of the session: freshness, why it ended, the challenge, the storage. */
export function useAuthState(): SessionState {
  const asOf = useContext(AsOf);
  const now = stateOf(useSnapshot());
  return asOf ?? now;
}

/** The user and the session, or null. Pending until it is known whether somebody is signed in. */
export function useSession(): { data: SessionRead | null; isPending: boolean } {
  const { snapshots } = useVestibule();
  const state = useAuthState();
  return { data: snapshots.read(state), isPending: state.status === "restoring" };
}

/** What the backend offers. A page offers nothing else to a user. */
export function useFeatures(): BackendFeatures {
  return offeredBy(useSnapshot());
}

/**
 * Whether the user's roles include this right, as `plugins.vestibule.roles` declares. Use it
 * to decide what to show. It protects nothing: only the backend can.
 */
export function useMay(right: Right): boolean {
  return useAuthState().may.includes(right);
}

/** Renders its children only for users whose roles include this right. */
export function May({ do: right, children }: { do: Right; children: ReactNode }) {
  return useMay(right) ? children : null;
}

/** What a link asks that was opened from outside the app, to be shown now; null where none does. */
export function useLinkNotice(): LinkNotice | null {
  return useStore(useVestibule().links);
}

/** What the page knows of the accounts, and why where it knows nothing. */
export function useAccountsSnapshot(): AccountsSnapshot {
  return useStore(useVestibule().accounts);
}

/** The newest list of all accounts; null until `accounts.start()` has been called and answered. */
export function useAccounts(): AccountList | null {
  return listOf(useAccountsSnapshot());
}
