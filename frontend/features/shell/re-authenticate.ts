"use client";

import { useSyncExternalStore } from "react";
import { auth } from "@/lib/auth";

// The user's choice to sign in again while a session is still held, because the backend keeps
// failing. It is in memory only: a reload, another page or a fresh session ends it.

let requested = false;
const listeners = new Set<() => void>();

function set(next: boolean) {
  if (requested === next) return;
  requested = next;
  for (const listener of [...listeners]) listener();
}

auth.subscribe(() => {
  const state = auth.state();
  const held =
    state.status === "restoring" ||
    state.status === "otp_pending" ||
    (state.status === "signed_in" && state.freshness.kind === "stale");
  if (!held) set(false);
});

export function requestReauthentication(): void {
  set(true);
}

export function cancelReauthentication(): void {
  set(false);
}

export function useReauthentication(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => requested,
    () => false,
  );
}
