"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import type { KeyringNotice, Outage } from "vestibule";
import { Button } from "@/components/ui/button";
import { Mark } from "@/components/ui/mark";
import { Centered, PageTitle, PRODUCT } from "@/components/ui/page";
import { LateSpinner } from "@/components/ui/spinner";
import { useElapsed } from "@/lib/clock";
import { since } from "@/lib/format";
import { routes } from "@/lib/routes";
import { auth, messages } from "@/lib/vestibule";
import { useAccountParts } from "./account-parts";
import { requestReauthentication } from "./re-authenticate";
import { NextTry, TryNow } from "./retry";
import { Unlock, useUnlock } from "./unlock";

// What is shown while the session is not known. The exported HTML contains nothing else.

function Neutral({ children }: { children?: ReactNode }) {
  return (
    <>
      <PageTitle />
      <OtherAccounts />
      <main id="main" tabIndex={-1}>
        <Centered whole>{children}</Centered>
      </main>
    </>
  );
}

/** The way to other accounts, which may open. It is not needed where this one does so in a second. */
function OtherAccounts() {
  const { MenuButton } = useAccountParts();
  const late = useElapsed(1000);
  return (
    late && (
      <div className="fixed top-3 right-4">
        <MenuButton />
      </div>
    )
  );
}

type Awaited = { outage: Outage | null; ownerUnknown: boolean; notice: KeyringNotice | null };

export function Restoring(awaited: Awaited) {
  return <Neutral>{content(awaited)}</Neutral>;
}

function content({ outage, ownerUnknown, notice }: Awaited) {
  if (notice) return <Locked notice={notice} />;
  if (!outage) return <Waiting />;
  return ownerUnknown ? <OwnerUnknown outage={outage} /> : <Unreachable outage={outage} />;
}

/** Shows no text for the first second, because most starts take less. */
function Waiting() {
  const late = useElapsed(1000);
  return (
    <div role="status" className="flex flex-col items-center gap-5">
      <Mark className="size-10 text-line-strong/50" />
      <p className="flex min-h-6 items-center gap-2.5 text-muted">
        {late && (
          <>
            <LateSpinner />
            Opening {PRODUCT}…
          </>
        )}
      </p>
    </div>
  );
}

function Unreachable({ outage }: { outage: Outage }) {
  return (
    <>
      <Mark className="mb-6 size-10 text-accent" />
      <h1 className="text-xl font-semibold">The server cannot be reached</h1>
      <p className="mt-2 text-muted" role="status">
        No answer since {since(outage.since)}. You are not signed out: {PRODUCT} keeps trying and
        opens as soon as there is an answer.
      </p>
      <Why outage={outage} />
      <p className="mt-2 min-h-6 text-muted">
        <NextTry outage={outage} />
      </p>
      <div className="mt-6 flex gap-2.5">
        <TryNow outage={outage} look="primary" size="md" />
        <SignInAgain />
      </div>
    </>
  );
}

/** What keeps the app from its server and who can help, where that is known. */
function Why({ outage: { why } }: { outage: Outage }) {
  if (!why) return null;
  return (
    <p className="mt-2 text-muted" role="status">
      {messages.obstacle(why)}
    </p>
  );
}

/** There is a session, but only the server knows whose. No user is shown before it has answered. */
function OwnerUnknown({ outage }: { outage: Outage }) {
  return (
    <>
      <Mark className="mb-6 size-10 text-accent" />
      <h1 className="text-xl font-semibold">Waiting for the server to say who you are</h1>
      <p className="mt-2 text-muted" role="status">
        This computer keeps a session and does not know whose it is. {PRODUCT} asks the server,
        which has not answered since {since(outage.since)}.
      </p>
      <Why outage={outage} />
      <p className="mt-2 min-h-6 text-muted">
        <NextTry outage={outage} />
      </p>
      <div className="mt-6 flex gap-2.5">
        <TryNow outage={outage} label="Try again" look="primary" size="md" />
        <SignInAgain label="Sign in as somebody else" />
      </div>
    </>
  );
}

function Locked({ notice }: { notice: KeyringNotice }) {
  const { busy, tried, unlock } = useUnlock();
  return (
    <>
      <Mark className="mb-6 size-10 text-accent" />
      <h1 className="text-xl font-semibold">{notice.title}</h1>
      <p className="mt-2 text-muted" role="status">
        {tried ? notice.still : notice.text}
      </p>
      <div className="mt-6 flex gap-2.5">
        <Unlock notice={notice} busy={busy} unlock={unlock} look="primary" size="md" />
        <SignInAgain />
      </div>
    </>
  );
}

/** Lets the user stop waiting and start a new session that replaces the held one. */
function SignInAgain({ label = "Sign in again" }: { label?: string }) {
  const router = useRouter();
  return (
    <Button
      look="secondary"
      onClick={() => {
        requestReauthentication();
        router.push(routes.login);
      }}
    >
      {label}
    </Button>
  );
}

export function OutsideApp() {
  return (
    <Neutral>
      <Mark className="mb-6 size-10 text-accent" />
      <h1 className="text-xl font-semibold">This page is part of the {PRODUCT} desktop app</h1>
      <p className="mt-2 text-muted">
        A browser has no session to show here. Start the app instead; in development,{" "}
        <code className="rounded bg-sunken px-1.5 py-0.5 text-sm text-ink">cargo xtask dev</code>.
      </p>
    </Neutral>
  );
}

/** Says why the app cannot be shown yet, with a button to try again. */
function NotStarted({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Neutral>
      <Mark className="mb-6 size-10 text-accent" />
      <h1 className="text-xl font-semibold">{title}</h1>
      <div role="alert">{children}</div>
      <div className="mt-6">
        <Button onClick={() => void auth.start()}>Try again</Button>
      </div>
    </Neutral>
  );
}

export function Unanswered({ message }: { message: string }) {
  return (
    <NotStarted title={`${PRODUCT} could not start properly`}>
      <p className="mt-2 text-muted">
        The page got no answer from the app behind it.
        {message && <span className="mt-2 block text-sm break-words">{message}</span>}
      </p>
    </NotStarted>
  );
}

/** A setting is wrong. The workspace stays closed, because its backend might be the wrong one. */
export function Misconfigured({ message }: { message: string }) {
  return (
    <NotStarted title={`${PRODUCT} is not set up correctly`}>
      <p className="mt-2 text-muted">
        One of its settings files has a mistake. The app connects to no server until that is
        corrected. Nothing is lost: your session is kept.
      </p>
      <p className="mt-4 rounded bg-sunken px-3 py-2 text-left font-mono text-sm break-words">
        {message}
      </p>
    </NotStarted>
  );
}

/** The computer lacks something that the app needs to start. */
export function CannotStart({ message }: { message: string }) {
  return (
    <NotStarted title={`${PRODUCT} cannot start`}>
      <p className="mt-2 wrap-anywhere">{message}</p>
      <p className="mt-4 text-muted">Nothing is lost: your session is kept.</p>
    </NotStarted>
  );
}
