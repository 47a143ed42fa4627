"use client";

import { type AuthError, createStore, perInstance, type Result } from "vestibule";
import { useStore } from "vestibule/react";
import { vestibule } from "@/lib/vestibule";

// The window is on its way to another account: the plugin was asked, and loads the page anew. Until the
// page is gone it says what it waits for and takes no other input.

const departureOf = perInstance(() => createStore<string | null>(null));

/** What the page waits for; null where it waits for nothing. */
export function useDeparture(): string | null {
  return useStore(departureOf(vestibule));
}

/** Goes to another account. Returns why that failed; after a success the page is about to go. */
export async function depart(
  saying: string,
  work: () => Promise<Result<null>>,
): Promise<AuthError | null> {
  const departure = departureOf(vestibule);
  if (departure.get() !== null) return null;
  departure.set(saying);
  const { error } = await work();
  if (error) departure.set(null);
  return error;
}

/** Forgets a departure. For tests, whose page is not loaded anew. */
export function cancelDeparture(): void {
  departureOf(vestibule).set(null);
}
