"use client";

import { useSyncExternalStore } from "react";
import type { Tone } from "@/components/ui/alert";
import { auth } from "@/lib/auth";

// A message that one sign-in screen leaves for the next: an expired code, a new account. In memory,
// because what it speaks of has no place in an address.

export type Notice = { tone: Tone; text: string; email?: string };

let held: Notice | null = null;
const listeners = new Set<() => void>();

export function leaveNotice(notice: Notice | null): void {
  held = notice;
  for (const listener of [...listeners]) listener();
}

// Whoever gets further needs no message about how they did not.
auth.subscribe(() => {
  const { status } = auth.state();
  if (held && (status === "signed_in" || status === "otp_pending")) leaveNotice(null);
});

export function useNotice(): Notice | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
    () => null,
  );
}
