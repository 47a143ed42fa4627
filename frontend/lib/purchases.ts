"use client";

import { createStore, perInstance } from "vestibule";
import { useAuthState, useStore } from "vestibule/react";
import { vestibule } from "./vestibule";

// The purchases of the user since the app started, in memory only.

export type Purchase = {
  id: string;
  plan: string;
  planName: string;
  purchasedAt: string;
  /** The buyer's own note. */
  note: string;
};

type Purchases = { userId: string; list: readonly Purchase[] };

const NONE: readonly Purchase[] = [];
const purchasesOf = perInstance(() => createStore<Purchases>({ userId: "", list: NONE }));

export function recordPurchase(userId: string, purchase: Purchase): void {
  const purchases = purchasesOf(vestibule);
  const held = purchases.get();
  const before = held.userId === userId ? held.list : NONE;
  const list = [purchase, ...before.filter(({ id }) => id !== purchase.id)];
  purchases.set({ userId, list });
}

export function usePurchases(): readonly Purchase[] {
  const state = useAuthState();
  const held = useStore(purchasesOf(vestibule));
  return state.status === "signed_in" && state.user.id === held.userId ? held.list : NONE;
}
