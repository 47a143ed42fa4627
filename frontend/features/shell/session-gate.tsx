"use client";

import { usePathname } from "next/navigation";
import { type ReactNode, useLayoutEffect } from "react";
import { listOf, offersAccounts, type SessionState } from "vestibule";
import { useAccountsSnapshot, useSnapshot } from "vestibule/react";
import { usePartsAfterPaint } from "@/lib/part";
import { routes } from "@/lib/routes";
import { accounts, auth, desktop, links, messages } from "@/lib/vestibule";
import { useAccountParts } from "./account-parts";
import { useReauthentication } from "./re-authenticate";
import { CannotStart, Misconfigured, OutsideApp, Restoring, Unanswered } from "./restoring";

// Starts as soon as this code is loaded, so that the snapshot has arrived when React mounts.
if (typeof window !== "undefined") {
  void auth.start();
  void accounts.start();
  void links.start();
}

/**
 * Renders nothing of the app before it is known whether someone is signed in, neither into the
 * exported HTML nor at the first paint. Then it asks the shell to show the window.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const snapshot = useSnapshot();
  const reauthenticating = useReauthentication();
  const path = usePathname();
  const state = snapshot.kind === "known" ? snapshot.changed.state : null;
  const { Chooser } = useAccountParts();
  const accountsSnapshot = useAccountsSnapshot();
  const list = listOf(accountsSnapshot);
  const chooses = snapshot.kind === "failed" && snapshot.reason === "no_account";
  const presentable = state
    ? state.status !== "restoring" || state.outage !== null
    : snapshot.kind === "failed" && (accountsSnapshot.kind !== "waiting" || !chooses);

  // In a layout effect, because a hidden window paints nothing and fires no animation frame.
  useLayoutEffect(() => {
    if (presentable) desktop.windowReady();
  }, [presentable]);
  usePartsAfterPaint(presentable);

  // Whatever keeps this account from opening, the pages about all accounts do not need it.
  const blocked = snapshot.kind === "failed" || (state !== null && isBlocked(state));
  if (blocked && list && offersAccounts(list) && path.startsWith(routes.accounts)) return children;

  if (snapshot.kind === "failed") {
    switch (snapshot.reason) {
      case "outside_app":
        return <OutsideApp />;
      case "no_account":
        return <Chooser />;
      case "misconfigured":
        return <Misconfigured message={snapshot.message} />;
      case "cannot_start":
        return <CannotStart message={snapshot.message} />;
      case "no_answer":
        return <Unanswered message={snapshot.message} />;
    }
  }
  if (!state) return <Restoring outage={null} ownerUnknown={false} notice={null} />;
  if (state.status === "restoring" && !(reauthenticating && path.startsWith("/auth/"))) {
    return (
      <Restoring
        outage={state.outage}
        ownerUnknown={state.ownerUnknown}
        notice={messages.keyring(state)}
      />
    );
  }
  return children;
}

/** Whether a session is being restored and cannot be without help or another try. */
function isBlocked(state: SessionState): boolean {
  return state.status === "restoring" && (state.outage !== null || state.storage !== "ok");
}
