"use client";

import { createStore, perInstance, type SessionState } from "vestibule";
import { useStore } from "vestibule/react";
import type { Tone } from "@/components/ui/alert";
import { vestibule } from "@/lib/vestibule";

// A message that one sign-in screen leaves for the next, such as that a code has expired or that an
// account was made. It is kept in memory and not in the address, because it may hold an e-mail.

export type Notice = { tone: Tone; text: string; email?: string };

/** What a sign-in leads to. */
const STEPS: SessionState["status"][] = ["signed_in", "otp_pending", "browser_pending"];

const noticeOf = perInstance(({ auth }) => {
  const notice = createStore<Notice | null>(null);
  // The message is dropped once the next step has succeeded.
  auth.subscribe(() => {
    const { status } = auth.state();
    if (STEPS.includes(status)) notice.set(null);
  });
  return notice;
});

export function leaveNotice(notice: Notice | null): void {
  noticeOf(vestibule).set(notice);
}

export function useNotice(): Notice | null {
  return useStore(noticeOf(vestibule));
}
