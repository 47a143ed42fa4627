"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useEffect, useLayoutEffect } from "react";
import { offersAccounts, type Right, type SessionState } from "vestibule";
import { useAccountsSnapshot, useAuthState } from "vestibule/react";
import { routes, safeNext, withNext } from "@/lib/routes";
import { useCurrentUrl } from "./current-url";
import { NoAccountListScreen, NotFoundScreen } from "./error-screens";
import { markGuarded, useKeptPage } from "./kept-page";
import { NotAllowedScreen } from "./not-allowed";
import { useReauthentication } from "./re-authenticate";

// The guards decide who may see a page. Each renders either its page or a redirect, which happens
// before anything is painted.

/**
 * For signed-in users only, also while offline. With `may` also only for users whose roles include
 * that right. Other people sign in first and come back, or read that the page is not for them.
 */
export function Guard({ may, children }: { may?: Right; children: ReactNode }) {
  const state = useAuthState();
  const url = useCurrentUrl();
  const path = usePathname();
  const { page } = useKeptPage();
  useLayoutEffect(() => markGuarded(path), [path]);

  if (state.status === "signed_in") {
    return !may || state.may.includes(may) ? children : <NotAllowedScreen state={state} />;
  }
  const step = pendingStep(state);
  if (step) return <Redirect to={withNext(step, url)} />;
  // A person who has signed out on this page does not want to return to it after signing in.
  const done = page.signedOutAt === url;
  return <Redirect to={done ? routes.login : withNext(routes.login, url)} />;
}

/** For people who are not signed in: the sign-in and registration pages. */
export function GuestOnly({ children }: { children: ReactNode }) {
  const state = useAuthState();
  const reauthenticating = useReauthentication();
  const next = useNext();
  const router = useRouter();
  const target = next ?? routes.dashboard;
  useEffect(() => router.prefetch(target), [router, target]);

  const step = pendingStep(state);
  if (step) return <Redirect to={withNext(step, next)} />;
  if (state.status === "signed_in" && !(reauthenticating && state.freshness.kind === "stale")) {
    return <Redirect to={target} />;
  }
  return children;
}

/** For people who have to enter a code. */
export function ChallengeOnly({ children }: { children: ReactNode }) {
  return <StepOnly step={routes.otp}>{children}</StepOnly>;
}

/** For people whose sign-in goes on in the browser, or on another device. */
export function BrowserOnly({ children }: { children: ReactNode }) {
  return <StepOnly step={routes.browser}>{children}</StepOnly>;
}

function StepOnly({ step, children }: { step: Step; children: ReactNode }) {
  const state = useAuthState();
  const next = useNext();
  const pending = pendingStep(state);
  if (pending === step) return children;
  if (state.status === "signed_in") return <Redirect to={next ?? routes.dashboard} />;
  return <Redirect to={withNext(pending ?? routes.login, next)} />;
}

type Step = typeof routes.otp | typeof routes.browser;

/** The page at which a sign-in that has begun goes on; null where none has. */
function pendingStep({ status }: SessionState): Step | null {
  if (status === "otp_pending") return routes.otp;
  return status === "browser_pending" ? routes.browser : null;
}

/** For apps that offer several accounts. In others there is no such page. */
export function AccountsOnly({ children }: { children: ReactNode }) {
  const snapshot = useAccountsSnapshot();
  if (snapshot.kind === "waiting") return null;
  if (snapshot.kind === "failed") return <NoAccountListScreen error={snapshot.error} />;
  return offersAccounts(snapshot.list) ? children : <NotFoundScreen />;
}

function Redirect({ to }: { to: string }) {
  const router = useRouter();
  useLayoutEffect(() => router.replace(to), [router, to]);
  return <p className="sr-only">One moment…</p>;
}

function useNext(): string | null {
  return safeNext(useSearchParams().get("next"));
}
