"use client";

import { type AuthError, createStore, perInstance, type Result } from "vestibule";
import { useStore } from "vestibule/react";
import { vestibule } from "@/lib/vestibule";

// The window is about to show another account: the plugin was asked, and loads the page anew. Until the
// page is gone it says what it waits for and takes no other input.

const reloadingOf = perInstance(() => createStore<string | null>(null));

/** What the page waits for; null where it waits for nothing. */
export function useReloading(): string | null {
  return useStore(reloadingOf(vestibule));
}

/**
 * Does work after which the plugin loads the page anew. Returns why that failed; after a success the page
 * is about to go.
 */
export async function untilReloaded(
  text: string,
  work: () => Promise<Result<null>>,
): Promise<AuthError | null> {
  const reloading = reloadingOf(vestibule);
  if (reloading.get() !== null) return null;
  reloading.set(text);
  const { error } = await work();
  if (error) reloading.set(null);
  return error;
}

/** Takes input again. For tests, whose page is not loaded anew. */
export function cancelReloading(): void {
  reloadingOf(vestibule).set(null);
}
