"use client";

import { useState } from "react";
import type { AuthFailure } from "@/lib/auth";
import { useCountdown } from "@/lib/clock";
import { type Asked, keepWait, waitFor } from "./waits";

/** The last failure of a form, and how long the backend asks to wait. */
export function useFailure(asked: Asked) {
  // A wait that began on an earlier visit of this form still holds.
  const [told] = useState(() => waitFor(asked));
  const [failure, setFailure] = useState<AuthFailure | null>(told?.failure ?? null);
  const [until, setUntil] = useState<number | null>(told?.until ?? null);
  const wait = useCountdown(until);
  return {
    failure,
    /** Seconds until the next try is allowed. */
    wait,
    fail: (next: AuthFailure) => {
      setFailure(next);
      setUntil(keepWait(asked, next)?.until ?? null);
    },
    clear: () => setFailure(null),
  };
}
