"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useEffect, useLayoutEffect, useState } from "react";
import { offersAccounts, type Right, type SessionState } from "vestibule";
import { AsOf, useAccountsSnapshot, useAuthState } from "vestibule/react";
import { routes, safeNext, withNext } from "@/lib/routes";
import { useCurrentUrl } from "./current-url";
import { NoAccountListScreen, NotFoundScreen } from "./error-screens";
import { markGuarded, useKeptPage } from "./kept-page";
import { NotAllowedScreen } from "./not-allowed";
import { useReauthentication } from "./re-authenticate";

// The guards decide who may see a page. Each renders its page, or a redirect, which begins before
// anything is painted.

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
  const isIn =
    state.status === "signed_in" && !(reauthenticating && state.freshness.kind === "stale");
  const to = step ? withNext(step, next) : isIn ? target : null;
  return <ShownUntilLed to={to}>{children}</ShownUntilLed>;
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
  const isIn = state.status === "signed_in";
  const other = isIn ? (next ?? routes.dashboard) : withNext(pending ?? routes.login, next);
  return <ShownUntilLed to={pending === step ? null : other}>{children}</ShownUntilLed>;
}

/**
 * Shows a step of the sign-in. Once it leads on, the form stays as it was sent until the next page takes
 * its place, so that nothing blank lies between the two. A step that was never shown stays hidden.
 */
function ShownUntilLed({ to, children }: { to: string | null; children: ReactNode }) {
  const state = useAuthState();
  const [shownWith, setShownWith] = useState<SessionState | null>(null);
  // Odd while it leads on. A form that comes back is a new one, which waits for nothing.
  const [turns, setTurns] = useState(0);
  // Set while rendering, so that no frame shows the form with the state that leads on.
  if (!to && shownWith !== state) setShownWith(state);
  if ((turns % 2 === 1) !== (to !== null)) setTurns(turns + 1);
  return (
    <>
      {(!to || shownWith) && (
        <AsOf key={turns >> 1} value={to ? shownWith : null}>
          {children}
        </AsOf>
      )}
      {to && <Redirect to={to} />}
    </>
  );
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

/**
 * A redirect takes some ten milliseconds. After this time the router will not show the page any more. In
 * development a page may have to be compiled first.
 */
const REDIRECT_TIMEOUT_MS = process.env.NODE_ENV === "development" ? 60_000 : 3000;

/** Leads to another page. Where the router does not get there, the window loads the page instead. */
function Redirect({ to }: { to: string }) {
  const router = useRouter();
  useLayoutEffect(() => {
    router.replace(to);
    const late = setTimeout(() => window.location.replace(to), REDIRECT_TIMEOUT_MS);
    return () => clearTimeout(late);
  }, [router, to]);
  return <p className="sr-only">One moment…</p>;
}

function useNext(): string | null {
  return safeNext(useSearchParams().get("next"));
}
