"use client";

import { type ReactNode, useEffect, useEffectEvent, useState } from "react";
import type { BrowserSignIn } from "vestibule";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { LateSpinner } from "@/components/ui/spinner";
import { useCountdown } from "@/lib/clock";
import { duration } from "@/lib/format";
import { auth, messages } from "@/lib/vestibule";
import {
  beginBrowserSignIn,
  cancelBrowserSignIn,
  sameAgain,
  useBrowserAttempt,
} from "./browser-attempt";
import { BrowserFailure } from "./browser-buttons";

/**
 * The frame of a sign-in that goes on outside of the app: what to do, the time that is left, and the
 * way out, by Escape too. When the time is up it offers to start again instead.
 */
export function PendingSignIn({
  signIn,
  title,
  lead,
  again,
  children,
}: {
  signIn: BrowserSignIn;
  title: string;
  lead: ReactNode;
  /** The button that starts again. */
  again: string;
  children: ReactNode;
}) {
  const left = useCountdown(auth.dueAt(signIn, signIn.expiresInMs));
  const cancelling = useCancelling();
  const attempt = useBrowserAttempt();
  const below = <Cancel cancelling={cancelling} />;
  if (left === 0) return <TimeIsUp signIn={signIn} attempt={attempt} again={again} below={below} />;
  return (
    <CardPage title={title} takesFocus="always" lead={lead} below={below}>
      {children}
      <p className="mt-5 border-t border-line pt-4 text-sm text-muted">
        Time left: <span className="tabular-nums">{duration(left)}</span>
      </p>
    </CardPage>
  );
}

/** Shown once the browser is back. Even now the sign-in can be given up. */
export function SigningIn() {
  const cancelling = useCancelling();
  return (
    <CardPage
      title="Signing you in"
      takesFocus="always"
      lead={<p>Your browser is done. You can close the page there.</p>}
      below={<Cancel cancelling={cancelling} />}
    >
      <p role="status" className="flex items-center gap-2 text-sm text-muted">
        <LateSpinner /> One moment…
      </p>
    </CardPage>
  );
}

function TimeIsUp({
  signIn,
  attempt: { beginning, wait },
  again,
  below,
}: {
  signIn: BrowserSignIn;
  attempt: ReturnType<typeof useBrowserAttempt>;
  again: string;
  below: ReactNode;
}) {
  return (
    <CardPage
      title="The time is up"
      takesFocus="always"
      lead="The sign-in was not completed in time."
      below={below}
    >
      <BrowserFailure />
      <Button
        className="w-full not-first:mt-5"
        busy={beginning !== null}
        disabled={wait > 0}
        onClick={() => beginBrowserSignIn(sameAgain(signIn))}
      >
        {wait > 0 ? `Try again in ${duration(wait)}` : again}
      </Button>
    </CardPage>
  );
}

type Cancelling = ReturnType<typeof useCancelling>;

function useCancelling() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  async function cancel() {
    if (busy) return;
    setBusy(true);
    setFailure(null);
    // The guard redirects to the sign-in screen when the new state arrives.
    const { error } = await cancelBrowserSignIn();
    if (!error) return;
    setBusy(false);
    setFailure(messages.describe(error));
  }

  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    // A menu or a dialog that Escape has closed has prevented what else it would do.
    if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) void cancel();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKeyDown(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);

  return { busy, failure, cancel };
}

function Cancel({ cancelling: { busy, failure, cancel } }: { cancelling: Cancelling }) {
  return (
    <>
      {failure && (
        <p role="alert" className="mb-2 text-danger-text">
          {failure}
        </p>
      )}
      <Button
        look="quiet"
        size="sm"
        busy={busy}
        aria-keyshortcuts="Escape"
        onClick={() => void cancel()}
      >
        Cancel
      </Button>
    </>
  );
}
