"use client";

import { useSyncExternalStore } from "react";
import type { Tone } from "@/components/ui/alert";
import { auth } from "@/lib/auth";

// A message that one sign-in screen leaves for the next, such as that a code has expired or that an
// account was made. It is kept in memory and not in the address, because it may hold an e-mail.

export type Notice = { tone: Tone; text: string; email?: string };

let held: Notice | null = null;
const listeners = new Set<() => void>();

export function leaveNotice(notice: Notice | null): void {
  held = notice;
  for (const listener of [...listeners]) listener();
}

// The message is dropped once the next step has succeeded.
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
