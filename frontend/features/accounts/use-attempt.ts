"use client";

import { useState } from "react";
import type { AuthError } from "vestibule";

/** Work that is tried until it succeeds, and why it failed last. */
export function useAttempt() {
  const [failure, setFailure] = useState<AuthError | null>(null);

  async function attempt(work: Promise<AuthError | null>) {
    setFailure(null);
    setFailure(await work);
  }

  return { failure, attempt };
}
