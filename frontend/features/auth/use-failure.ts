"use client";

import { useState } from "react";
import type { AuthFailure } from "@/lib/auth";
import { momentNow, useCountdown } from "@/lib/clock";

/** The last failure of a form, and for how long the backend wants to be left alone. */
export function useFailure() {
  const [failure, setFailure] = useState<AuthFailure | null>(null);
  const [until, setUntil] = useState<number | null>(null);
  const wait = useCountdown(until);
  return {
    failure,
    /** Seconds until the next try is allowed. */
    wait,
    fail: (next: AuthFailure) => {
      setFailure(next);
      setUntil(next.retryAfterMs === null ? null : momentNow() + next.retryAfterMs);
    },
    clear: () => setFailure(null),
  };
}
