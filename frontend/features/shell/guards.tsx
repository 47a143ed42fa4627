"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useEffect, useLayoutEffect } from "react";
import { auth, type Permission } from "@/lib/auth";
import { routes, safeNext, withNext } from "@/lib/routes";
import { useSignInAgain } from "./again";
import { useHere } from "./here";
import { NotAllowedScreen } from "./not-allowed";
import { noteGuarded, usePlace } from "./place";

// The guards decide who may see a page. Each renders either its page or a redirect, which happens
// before anything is painted.

/**
 * For signed-in users only, also while offline. With `may` also only for users whose roles include
 * that permission. Other people sign in first and come back, or read that the page is not for them.
 */
export function Guard({ may, children }: { may?: Permission; children: ReactNode }) {
  const state = auth.useAuthState();
  const here = useHere();
  const path = usePathname();
  const { tenancy } = usePlace();
  useLayoutEffect(() => noteGuarded(path), [path]);

  if (state.status === "signed_in") {
    return !may || state.may.includes(may) ? children : <NotAllowedScreen state={state} />;
  }
  if (state.status === "otp_pending") return <Redirect to={withNext(routes.otp, here)} />;
  // A person who has signed out on this page does not want to return to it after signing in.
  const done = tenancy.left === here;
  return <Redirect to={done ? routes.login : withNext(routes.login, here)} />;
}

/** For people who are not signed in: the sign-in and registration pages. */
export function GuestOnly({ children }: { children: ReactNode }) {
  const state = auth.useAuthState();
  const again = useSignInAgain();
  const next = useNext();
  const router = useRouter();
  const target = next ?? routes.dashboard;
  useEffect(() => router.prefetch(target), [router, target]);

  if (state.status === "otp_pending") return <Redirect to={withNext(routes.otp, next)} />;
  if (state.status === "signed_in" && !(again && state.freshness.kind === "stale")) {
    return <Redirect to={target} />;
  }
  return children;
}

/** For people who have to enter a code. */
export function ChallengeOnly({ children }: { children: ReactNode }) {
  const state = auth.useAuthState();
  const next = useNext();
  if (state.status === "otp_pending") return children;
  if (state.status === "signed_in") return <Redirect to={next ?? routes.dashboard} />;
  return <Redirect to={withNext(routes.login, next)} />;
}

function Redirect({ to }: { to: string }) {
  const router = useRouter();
  useLayoutEffect(() => router.replace(to), [router, to]);
  return <p className="sr-only">One moment…</p>;
}

function useNext(): string | null {
  return safeNext(useSearchParams().get("next"));
}
