"use client";

import { createStore, perInstance } from "vestibule";
import { useStore } from "vestibule/react";
import { vestibule } from "@/lib/vestibule";

// The user's choice to sign in again while a session is still held, because the backend keeps
// failing. It is in memory only: a reload, another page or a fresh session ends it.

const requestedOf = perInstance(({ auth }) => {
  const requested = createStore(false);
  auth.subscribe(() => {
    const state = auth.state();
    const held =
      state.status === "restoring" ||
      state.status === "otp_pending" ||
      state.status === "browser_pending" ||
      (state.status === "signed_in" && state.freshness.kind === "stale");
    if (!held) requested.set(false);
  });
  return requested;
});

export function requestReauthentication(): void {
  requestedOf(vestibule).set(true);
}

export function cancelReauthentication(): void {
  requestedOf(vestibule).set(false);
}

export function useReauthentication(): boolean {
  return useStore(requestedOf(vestibule));
}
