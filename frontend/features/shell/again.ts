"use client";

import { useSyncExternalStore } from "react";
import { auth } from "@/lib/auth";

// The wish to sign in again while a session is still held: the backend keeps failing and the user
// would rather start over. In memory only: a reload, another page or a fresh session forgets it.

let wished = false;
const listeners = new Set<() => void>();

function set(next: boolean) {
  if (wished === next) return;
  wished = next;
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

export function wishToSignInAgain(): void {
  set(true);
}

export function forgetSigningInAgain(): void {
  set(false);
}

export function useSignInAgain(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => wished,
    () => false,
  );
}
