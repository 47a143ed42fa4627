"use client";

import { CloudOff, KeyRound, ShieldAlert, X } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { isBehindKeyring, isEnding, type KeyringNotice, type SessionState } from "vestibule";
import { useAuthState } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { since } from "@/lib/format";
import { routes, withNext } from "@/lib/routes";
import { messages } from "@/lib/vestibule";
import { Banner } from "./banner";
import { useCurrentUrl } from "./current-url";
import { useKeptPage } from "./kept-page";
import { NextTry, TryNow } from "./retry";
import { Unlock, useUnlock } from "./unlock";

/** The problems of the session, under the header of every page. */
export function Banners() {
  const state = useAuthState();
  const notice = messages.keyring(state);
  return (
    <>
      <Offline state={state} />
      {/* A new key for each problem: another one has not been dismissed or tried yet. */}
      {notice && <Keyring key={notice.title + notice.text} notice={notice} />}
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
        {outage.why && ` ${messages.obstacle(outage.why)}`}
      </span>{" "}
      <NextTry outage={outage} />
    </Banner>
  );
}

function Keyring({ notice }: { notice: KeyringNotice }) {
  const [dismissed, setDismissed] = useState(false);
  const { busy, tried, unlock } = useUnlock();
  if (dismissed) return null;
  return (
    <Banner
      about="Keyring"
      icon={<KeyRound />}
      action={
        <>
          <Unlock notice={notice} busy={busy} unlock={unlock} />
          {!notice.blocks && (
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
        <strong className="font-semibold">{notice.title}.</strong>{" "}
        {tried ? notice.still : notice.text}
      </span>
    </Banner>
  );
}

/** Says why the session ended, on pages that do not say it themselves. */
function Ended({ state }: { state: SessionState }) {
  const url = useCurrentUrl();
  const { signInReason } = useKeptPage();
  if (state.status !== "signed_out" || !isEnding(state.why)) return null;
  if (signInReason || url.startsWith("/auth/")) return null;
  const { title, text } = messages.ending(state.why);
  return (
    <Banner
      about="Session"
      icon={<ShieldAlert />}
      action={
        <Button asChild look="secondary" size="sm">
          <Link href={withNext(routes.login, url)}>Sign in again</Link>
        </Button>
      }
    >
      <span role="status">
        <strong className="font-semibold">{title}.</strong> {text}
      </span>
    </Banner>
  );
}
