"use client";

import { CloudOff, KeyRound, ShieldAlert, X } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { auth, type SessionState } from "@/lib/auth";
import { since } from "@/lib/format";
import { isBehindKeyring, keyringTrouble, type Trouble } from "@/lib/keyring";
import { ENDINGS, isEnding, obstacleWords } from "@/lib/messages";
import { routes, withNext } from "@/lib/routes";
import { Banner } from "./banner";
import { useHere } from "./here";
import { usePlace } from "./place";
import { NextTry, TryNow } from "./retry";
import { Unlock, useUnlock } from "./unlock";

/** The problems of the session, under the header of every page. */
export function Banners() {
  const state = auth.useAuthState();
  const trouble = keyringTrouble(state);
  return (
    <>
      <Offline state={state} />
      {/* A new key for each problem: another one has not been dismissed or tried yet. */}
      {trouble && <Keyring key={trouble.title + trouble.text} trouble={trouble} />}
      <Ended state={state} />
    </>
  );
}

function Offline({ state }: { state: SessionState }) {
  if (state.status !== "signed_in" || state.freshness.kind !== "stale") return null;
  // Without the token in the keyring the app cannot ask the server, so this is no outage.
  if (isBehindKeyring(state)) return null;
  const outage = state.freshness;
  return (
    <Banner about="Connection" icon={<CloudOff />} action={<TryNow outage={outage} />}>
      <span role="status">
        Offline since {since(outage.since)}. You stay signed in.
        {outage.why && ` ${obstacleWords(outage.why)}`}
      </span>{" "}
      <NextTry outage={outage} />
    </Banner>
  );
}

function Keyring({ trouble }: { trouble: Trouble }) {
  const [dismissed, setDismissed] = useState(false);
  const { busy, tried, unlock } = useUnlock();
  if (dismissed) return null;
  return (
    <Banner
      about="Keyring"
      icon={<KeyRound />}
      action={
        <>
          <Unlock trouble={trouble} busy={busy} unlock={unlock} />
          {!trouble.blocks && (
            <Button
              look="quiet"
              size="sm"
              aria-label="Dismiss"
              className="-mx-2"
              onClick={() => setDismissed(true)}
            >
              <X aria-hidden className="size-4" />
            </Button>
          )}
        </>
      }
    >
      <span role="status">
        <strong className="font-semibold">{trouble.title}.</strong>{" "}
        {tried ? trouble.still : trouble.text}
      </span>
    </Banner>
  );
}

/** Says why the session ended, on pages that do not say it themselves. */
function Ended({ state }: { state: SessionState }) {
  const here = useHere();
  const { front } = usePlace();
  if (state.status !== "signed_out" || !isEnding(state.why)) return null;
  if (front || here.startsWith("/auth/")) return null;
  const { title, text } = ENDINGS[state.why];
  return (
    <Banner
      about="Session"
      icon={<ShieldAlert />}
      action={
        <Button asChild look="secondary" size="sm">
          <Link href={withNext(routes.login, here)}>Sign in again</Link>
        </Button>
      }
    >
      <span role="status">
        <strong className="font-semibold">{title}.</strong> {text}
      </span>
    </Banner>
  );
}
