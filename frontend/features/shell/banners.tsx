"use client";

import { CloudOff, KeyRound, ShieldAlert, X } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { auth, type SessionState } from "@/lib/auth";
import { clockTime } from "@/lib/format";
import { ENDINGS, isEnding } from "@/lib/messages";
import { routes, withNext } from "@/lib/routes";
import { NextTry, TryNow } from "./retry";

/** What is not as it should be with the session, under the header of every page. */
export function Banners() {
  const state = auth.useAuthState();
  return (
    <>
      <Offline state={state} />
      <Unkept state={state} />
      <Ended state={state} />
    </>
  );
}

function Banner({
  about,
  icon,
  children,
  action,
}: {
  about: string;
  icon: ReactNode;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <section aria-label={about} className="border-b border-warn-line bg-warn-soft text-warn-text">
      <div className="mx-auto flex min-h-11 max-w-5xl items-center gap-3 px-4 py-1.5 sm:px-6 text-sm">
        <span aria-hidden className="[&>svg]:size-4">
          {icon}
        </span>
        <div className="min-w-0 flex-1">{children}</div>
        {action}
      </div>
    </section>
  );
}

function Offline({ state }: { state: SessionState }) {
  if (state.status !== "signed_in" || state.freshness.kind !== "stale") return null;
  const outage = state.freshness;
  return (
    <Banner about="Connection" icon={<CloudOff />} action={<TryNow outage={outage} />}>
      <span role="status">Offline since {clockTime(outage.since)}. You stay signed in.</span>{" "}
      <NextTry outage={outage} />
    </Banner>
  );
}

/** The session is not safely kept: it ends when the app quits. */
function Unkept({ state }: { state: SessionState }) {
  const [dismissed, setDismissed] = useState<string | null>(null);
  if (state.status !== "signed_in") return null;
  const text = unkept(state.storage, state.remembered);
  if (!text || dismissed === text) return null;
  return (
    <Banner
      about="Keyring"
      icon={<KeyRound />}
      action={
        <Button look="quiet" size="sm" aria-label="Dismiss" onClick={() => setDismissed(text)}>
          <X aria-hidden className="size-4" />
        </Button>
      }
    >
      <span role="status">{text}</span>
    </Banner>
  );
}

function unkept(storage: SessionState["storage"], remembered: boolean): string | null {
  switch (storage) {
    case "locked":
      return "Unlock your keyring to stay signed in: it is locked, so this session ends when you quit.";
    case "absent":
      return "You stay signed in until you quit: no keyring was found on this computer to keep the session in.";
    case "memory_only":
      return "You stay signed in until you quit: no keyring would take the session.";
    case "ok":
      return remembered
        ? null
        : "You stay signed in until you quit: the session could not be saved in your keyring.";
  }
}

/** A session that ended on its own, where the page itself does not say so. */
function Ended({ state }: { state: SessionState }) {
  const path = usePathname();
  if (state.status !== "signed_out" || !isEnding(state.why) || path.startsWith("/auth/")) {
    return null;
  }
  const { title, text } = ENDINGS[state.why];
  return (
    <Banner
      about="Session"
      icon={<ShieldAlert />}
      action={
        <Button asChild look="secondary" size="sm">
          <Link href={withNext(routes.login, path)}>Sign in again</Link>
        </Button>
      }
    >
      <span role="status">
        <strong className="font-semibold">{title}.</strong> {text}
      </span>
    </Banner>
  );
}
