"use client";

import { useState } from "react";
import type { AuthError } from "vestibule";
import { messages } from "./vestibule";

/**
 * The state of a question that stands before some work: whether it is open, the work after a yes, and
 * why that failed.
 */
export function useConfirmation(work: () => Promise<AuthError | null>) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<AuthError | null>(null);

  async function confirmed() {
    setBusy(true);
    setFailure(null);
    const failed = await work();
    setBusy(false);
    setFailure(failed);
    if (!failed) setOpen(false);
  }

  return {
    open,
    onOpenChange: (next: boolean) => {
      if (busy) return;
      if (next) setFailure(null);
      setOpen(next);
    },
    busy,
    error: failure && messages.describe(failure),
    onConfirm: () => void confirmed(),
  };
}
