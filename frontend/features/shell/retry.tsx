"use client";

import { useState } from "react";
import type { Outage } from "vestibule";
import { Button, type ButtonProps } from "@/components/ui/button";
import { momentNow, useCountdown } from "@/lib/clock";
import { duration } from "@/lib/format";
import { auth } from "@/lib/vestibule";

const PAUSE_MS = 5000;

/**
 * "Next try in 12 s.", or that the app is trying now. Screen readers do not announce each second.
 */
export function NextTry({ outage }: { outage: Outage }) {
  const seconds = useCountdown(auth.dueAt(outage, outage.retryInMs));
  if (outage.retryInMs === null) return <span>Reconnecting…</span>;
  return (
    <span aria-hidden className="tabular-nums">
      {seconds > 0 ? `Next try in ${duration(seconds)}.` : "Trying again…"}
    </span>
  );
}

/**
 * A button that tries to reach the server now. It is disabled for some seconds after each click,
 * and while the server asks to wait.
 */
export function TryNow({
  outage,
  label = "Try now",
  ...rest
}: { outage: Outage; label?: string } & ButtonProps) {
  const [until, setUntil] = useState<number | null>(null);
  const [isAsked, setIsAsked] = useState(false);
  const seconds = useCountdown(until);
  const waiting = seconds > 0;

  async function tryNow() {
    if (waiting) return;
    setUntil(momentNow() + PAUSE_MS);
    setIsAsked(false);
    // The result is in the state. A refusal says how long to wait.
    const { error } = await auth.refresh();
    if (!error || error.retryAfterMs === null) return;
    setUntil(momentNow() + error.retryAfterMs);
    setIsAsked(error.code === "rate_limited");
  }

  return (
    <Button
      look="secondary"
      size="sm"
      {...rest}
      busy={outage.retryInMs === null}
      disabled={waiting && outage.retryInMs !== null}
      onClick={() => void tryNow()}
    >
      {waiting && isAsked ? `The server asks to wait ${duration(seconds)}` : label}
    </Button>
  );
}
