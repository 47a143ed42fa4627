"use client";

import { useEffect, useState } from "react";
import { Button, type ButtonProps } from "@/components/ui/button";
import { auth, type Outage } from "@/lib/auth";
import { useCountdown } from "@/lib/clock";
import { duration } from "@/lib/format";

const PAUSE_MS = 5000;

/** "Next try in 12 s.", or that one is under way. Not announced each second. */
export function NextTry({ outage }: { outage: Outage }) {
  const seconds = useCountdown(outage.retryAt);
  if (outage.retryAt === null) return <span>Reconnecting…</span>;
  return (
    <span aria-hidden className="tabular-nums">
      {seconds > 0 ? `Next try in ${duration(seconds)}.` : "Trying again…"}
    </span>
  );
}

/** Asks for an attempt now, at most every five seconds. */
export function TryNow({ outage, ...rest }: { outage: Outage } & ButtonProps) {
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setWaiting(false), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [waiting]);
  return (
    <Button
      look="secondary"
      size="sm"
      {...rest}
      busy={outage.retryAt === null}
      disabled={waiting && outage.retryAt !== null}
      onClick={() => {
        if (waiting) return;
        setWaiting(true);
        // What comes of it is seen in the state.
        void auth.refresh();
      }}
    >
      Try now
    </Button>
  );
}
