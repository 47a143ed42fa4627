"use client";

import { useSyncExternalStore } from "react";
import { auth } from "./auth";

// The purchases of the user since the app started, in memory only.

export type Purchase = {
  id: string;
  plan: string;
  planName: string;
  purchasedAt: string;
  /** The buyer's own note. */
  note: string;
};

let held: { userId: string; list: readonly Purchase[] } = { userId: "", list: [] };
const listeners = new Set<() => void>();
const NONE: readonly Purchase[] = [];

export function recordPurchase(userId: string, purchase: Purchase): void {
  const before = held.userId === userId ? held.list : NONE;
  held = { userId, list: [purchase, ...before.filter(({ id }) => id !== purchase.id)] };
  for (const listener of listeners) listener();
}

export function usePurchases(): readonly Purchase[] {
  const state = auth.useAuthState();
  const all = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
    () => held,
  );
  return state.status === "signed_in" && state.user.id === all.userId ? all.list : NONE;
}
