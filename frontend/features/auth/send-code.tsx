"use client";

import { useState } from "react";
import type { AuthError, Challenge } from "vestibule";
import { Button } from "@/components/ui/button";
import { momentNow, useCountdown } from "@/lib/clock";
import { duration } from "@/lib/format";
import { auth, messages } from "@/lib/vestibule";

const FIRST = "A code is on its way.";
const ANOTHER = "A new code is on its way. Older codes no longer work.";

type Sender = ReturnType<typeof useSendCode>;

/** Has codes sent for a challenge, and knows when the next one may be. */
export function useSendCode(
  challenge: Challenge,
  { onSent, onOver }: { onSent: () => void; onOver: (error: AuthError) => void },
) {
  const [sending, setSending] = useState(false);
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const [until, setUntil] = useState<number | null>(null);
  const wait = useCountdown(Math.max(auth.dueAt(challenge, challenge.resendInMs) ?? 0, until ?? 0));

  async function send() {
    if (sending || wait > 0) return;
    const isFirst = challenge.methods.every(({ sentTo }) => sentTo === null);
    setSending(true);
    setSaid(null);
    const { error } = await auth.sendOtp();
    setSending(false);
    if (!error) {
      onSent();
      return setSaid({ text: isFirst ? FIRST : ANOTHER, bad: false });
    }
    if (error.code === "challenge_over") return onOver(error);
    if (error.retryAfterMs !== null) setUntil(momentNow() + error.retryAfterMs);
    setSaid({ text: messages.describe(error), bad: true });
  }

  return { send, sending, said, wait };
}

/** The button by which a person has a code sent, and what came of it. */
export function SendCode({ sender, isFirst }: { sender: Sender; isFirst: boolean }) {
  const { send, sending, said, wait } = sender;
  const label = isFirst ? "Send a code" : "Send a new code";
  const waiting = sending && !said;
  return (
    <div className="mt-5 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-line pt-4 text-sm">
      <p role="status" className={said?.bad ? "text-danger-text" : "text-muted"}>
        {said?.text ?? (waiting ? "Sending a code…" : "No code yet?")}
      </p>
      <Button
        look="secondary"
        size="sm"
        busy={sending}
        disabled={wait > 0}
        onClick={() => void send()}
      >
        {wait > 0 ? `Send again in ${duration(wait)}` : label}
      </Button>
    </div>
  );
}
