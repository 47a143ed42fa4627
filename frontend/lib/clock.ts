"use client";

import { useEffect, useState } from "react";

/** Whole seconds until a moment (epoch milliseconds), counting down; 0 when there is none. */
export function useCountdown(until: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  const left = until === null ? 0 : Math.max(0, until - now);

  // A new moment is measured from now, not from the last tick.
  const [measured, setMeasured] = useState(until);
  if (measured !== until) {
    setMeasured(until);
    setNow(Date.now());
  }

  useEffect(() => {
    if (until === null || left <= 0) return;
    const tick = setTimeout(() => setNow(Date.now()), left % 1000 || 1000);
    return () => clearTimeout(tick);
  }, [until, left]);

  return Math.ceil(left / 1000);
}

/** True once `delayMs` have passed since the component mounted. */
export function useAfter(delayMs: number): boolean {
  const [after, setAfter] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAfter(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return after;
}
