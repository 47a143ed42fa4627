"use client";

import Link from "next/link";
import { useState } from "react";
import type { SessionState } from "vestibule";
import { Button } from "@/components/ui/button";
import { Centered, PageHeading, PageTitle } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { auth, messages } from "@/lib/vestibule";

type SignedIn = Extract<SessionState, { status: "signed_in" }>;

/** Shown instead of a page for which the user lacks a role. */
export function NotAllowedScreen({ state }: { state: SignedIn }) {
  const { busy, answer, ask } = useAsking();
  const stale = state.freshness.kind === "stale";
  return (
    <Centered>
      <PageTitle>Not for your account</PageTitle>
      <PageHeading>This page is not for your account</PageHeading>
      <p className="mt-2 text-muted">
        You are signed in as <span className="wrap-anywhere text-ink">{state.user.email}</span>,
        which does not have the role that this page needs. The server's operator can change that.
      </p>
      {stale && (
        <p className="mt-2 text-muted">
          The server cannot be reached just now. The app goes by the roles that it last sent.
        </p>
      )}
      <div className="mt-6 flex flex-wrap justify-center gap-2.5">
        <Button asChild>
          <Link href={routes.dashboard}>Go to your dashboard</Link>
        </Button>
        <Button look="secondary" busy={busy} onClick={() => void ask()}>
          Ask the server again
        </Button>
      </div>
      <p role="status" className="mt-4 min-h-6 text-sm text-muted">
        {answer}
      </p>
    </Centered>
  );
}

/** Refreshes the session, which also brings the user's current roles. */
function useAsking() {
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState("");
  async function ask() {
    setBusy(true);
    setAnswer("");
    const { error } = await auth.refresh();
    setBusy(false);
    // With the role the guard shows the page now, and this text is not seen.
    setAnswer(error ? messages.describe(error) : "The server gives you the same roles as before.");
  }
  return { busy, answer, ask };
}
