"use client";

import { useState } from "react";
import type { AuthError } from "vestibule";
import { useCountdown } from "@/lib/clock";
import { currentWait, type FormName, recordWait } from "./retry-waits";

/** The last failure of a form, and how long the backend asks to wait. */
export function useFailure(formName: FormName) {
  // A wait that began on an earlier visit of this form still holds.
  const [earlier] = useState(() => currentWait(formName));
  const [failure, setFailure] = useState<AuthError | null>(earlier?.failure ?? null);
  const [until, setUntil] = useState<number | null>(earlier?.until ?? null);
  const wait = useCountdown(until);
  return {
    failure,
    /** Seconds until the next try is allowed. */
    wait,
    fail: (next: AuthError) => {
      setFailure(next);
      setUntil(recordWait(formName, next)?.until ?? null);
    },
    clear: () => setFailure(null),
  };
}
