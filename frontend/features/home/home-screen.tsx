"use client";

import { ArrowRight, KeyRound, LogIn, WifiOff } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { SessionState, User } from "vestibule";
import { useAuthState, useFeatures } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { Arches } from "@/components/ui/mark";
import { Page, PageHeading, PageTitle, PRODUCT } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { NewsSection } from "./news";

export function HomeScreen() {
  return (
    <Page>
      <PageTitle />
      <div className="flex items-end justify-between gap-10">
        <Greeting />
        <Arches className="w-72 shrink-0 max-lg:hidden" />
      </div>
      <section
        aria-label={`What ${PRODUCT} does`}
        className="mt-12 border-t border-line pt-8 lg:mt-0"
      >
        <ul className="grid gap-x-10 gap-y-8 sm:grid-cols-3">
          <Point icon={<KeyRound />} title="Kept in your keyring">
            The token of your session is in the operating system's keyring. This window never holds
            it.
          </Point>
          <Point icon={<WifiOff />} title="Signed in through outages">
            A lost connection, a crash or a restart does not sign you out. Only you or the server
            can.
          </Point>
          <Point icon={<LogIn />} title="Signed out means out">
            Signing out takes effect at once, in every window, with or without a connection.
          </Point>
        </ul>
      </section>
      <NewsSection />
    </Page>
  );
}

/** The part of the page that a change of the session renders again. */
function Greeting() {
  const state = useAuthState();
  return state.status === "signed_in" ? (
    <Welcome user={state.user} />
  ) : (
    <Introduction state={state} />
  );
}

function Introduction({ state }: { state: SessionState }) {
  const { register } = useFeatures();
  // A person who was signed in before has an account already.
  const returns = state.status === "signed_out" && state.why !== "never";
  return (
    <div className="max-w-2xl min-w-0 pt-4 sm:pt-10 lg:pb-14">
      <PageHeading className="text-4xl! leading-[1.1]! sm:text-5xl!">
        Sign in once. Stay signed in.
      </PageHeading>
      <p className="mt-5 max-w-xl text-lg text-muted">
        {PRODUCT} is an example of a web app that has moved to the desktop and signs its users in
        natively. {register ? "Create an account" : "Sign in"}, close the app or restart the
        computer: you stay signed in.
      </p>
      <div className="mt-8 flex flex-wrap gap-3">
        <Button asChild>
          {returns || !register ? (
            <Link href={routes.login}>Sign in</Link>
          ) : (
            <Link href={routes.register}>Create an account</Link>
          )}
        </Button>
        <Button asChild look="secondary">
          <Link href={routes.payment}>See the plans</Link>
        </Button>
      </div>
    </div>
  );
}

function Welcome({ user }: { user: User }) {
  return (
    <div className="max-w-2xl min-w-0 pt-4 sm:pt-10 lg:pb-14">
      <PageHeading className="text-4xl! leading-[1.1]! sm:text-5xl!">
        Welcome back, {user.name.split(/\s+/)[0]}.
      </PageHeading>
      <p className="mt-5 max-w-xl text-lg text-muted">
        You are signed in as <span className="wrap-anywhere">{user.email}</span>, in this window and
        in every other one you open.
      </p>
      <div className="mt-8 flex flex-wrap gap-3">
        <Button asChild>
          <Link href={routes.dashboard}>
            Go to your dashboard
            <ArrowRight aria-hidden className="size-4" />
          </Link>
        </Button>
        <Button asChild look="secondary">
          <Link href={routes.payment}>See the plans</Link>
        </Button>
      </div>
    </div>
  );
}

function Point({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <li>
      <span aria-hidden className="text-accent-text [&>svg]:size-5">
        {icon}
      </span>
      <h2 className="mt-2.5 font-semibold">{title}</h2>
      <p className="mt-1 text-sm text-muted">{children}</p>
    </li>
  );
}
