"use client";

import { useEffect, useState } from "react";

/**
 * Now, in milliseconds since the page was loaded: unlike the wall clock, nobody can set this clock.
 */
export function momentNow(): number {
  return performance.now();
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The whole seconds until a moment (see `momentNow`), counting down; 0 where there is none. */
export function useCountdown(until: number | null): number {
  const [now, setNow] = useState(() => momentNow());
  const left = until === null ? 0 : Math.max(0, until - now);

  // A new moment is measured from now and not from the last tick.
  const [measured, setMeasured] = useState(until);
  if (measured !== until) {
    setMeasured(until);
    setNow(momentNow());
  }

  useEffect(() => {
    if (until === null || left <= 0) return;
    const tick = setTimeout(() => setNow(momentNow()), left % 1000 || 1000);
    return () => clearTimeout(tick);
  }, [until, left]);

  return Math.ceil(left / 1000);
}

/** True once `delayMs` have passed since the component mounted. */
export function useElapsed(delayMs: number): boolean {
  const [after, setAfter] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAfter(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return after;
}

/** True once `holds` has been true for `ms` without a break. */
export function useLasting(holds: boolean, ms: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!holds) return;
    const timer = setTimeout(() => setLasts(true), ms);
    return () => {
      clearTimeout(timer);
      setLasts(false);
    };
  }, [holds, ms]);
  return lasts;
}
