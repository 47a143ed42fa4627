"use client";

import {
  type BrowserSignIn,
  type BrowserSignInInput,
  createStore,
  perInstance,
  type SessionState,
  type Vestibule,
} from "vestibule";
import { useStore } from "vestibule/react";
import { momentNow, useCountdown } from "@/lib/clock";
import { vestibule } from "@/lib/vestibule";

// The sign-in by the browser that this page has begun. It is kept here and not in a screen, because
// it ends on another screen than the one on which it began.

type Failure = {
  title: string;
  text: string;
  /** What the person had chosen; null where another page had begun it. */
  chosen: BrowserSignInInput | null;
  /** When it may be tried again; null for at once. */
  until: number | null;
};

type Attempt = {
  /** What the person has chosen, until the state says that the sign-in has begun. */
  beginning: BrowserSignInInput | null;
  failure: Failure | null;
};

const NONE: Attempt = { beginning: null, failure: null };

/** The core may give a sign-in up this much before its time is up here: its message takes a moment. */
const EARLY_MS = 1000;

const attemptsOf = perInstance(({ auth, messages }: Vestibule) => {
  const attempt = createStore(NONE);
  let newest = 0;
  let cancelled = false;
  let pending = pendingSignIn();

  function pendingSignIn(): BrowserSignIn | null {
    const state = auth.state();
    return state.status === "browser_pending" ? state.signIn : null;
  }

  function hasRunOut(signIn: BrowserSignIn): boolean {
    const due = auth.dueAt(signIn, signIn.expiresInMs) ?? 0;
    return !cancelled && momentNow() >= due - EARLY_MS;
  }

  auth.subscribe(() => {
    const before = pending;
    pending = pendingSignIn();
    if (pending) {
      if (pending.id === before?.id) return;
      cancelled = false;
      return attempt.set(NONE);
    }
    if (hasSucceeded(auth.state())) return attempt.set(NONE);
    // A page that was loaded meanwhile has no command whose failure would tell it.
    if (before && !attempt.get().failure && hasRunOut(before)) {
      attempt.set({ beginning: null, failure: { ...TIME_IS_UP, chosen: null, until: null } });
    }
  });

  return {
    ...attempt,
    /** Begins a sign-in, unless one is about to begin. */
    begin: async (chosen: BrowserSignInInput): Promise<void> => {
      if (attempt.get().beginning) return;
      newest += 1;
      const mine = newest;
      attempt.set({ beginning: chosen, failure: null });
      const { error } = await auth.signInByBrowser(chosen);
      if (mine !== newest) return;
      if (!error || error.code === "browser_sign_in_over") {
        return attempt.set({ ...attempt.get(), beginning: null });
      }
      const until = error.retryAfterMs === null ? null : momentNow() + error.retryAfterMs;
      const text = messages.describe(error);
      attempt.set({
        beginning: null,
        failure: { title: "You could not be signed in", text, chosen, until },
      });
    },
    /** Gives the sign-in up that is pending, whichever page has begun it. */
    cancel: async () => {
      cancelled = true;
      const result = await auth.cancelBrowserSignIn();
      if (result.error) cancelled = false;
      return result;
    },
    clear: () => attempt.set(NONE),
  };
});

/** A session that is stale was held before, and outlives a sign-in that fails. */
function hasSucceeded(state: SessionState): boolean {
  if (state.status === "signed_in") return state.freshness.kind === "fresh";
  return state.status === "otp_pending";
}

const TIME_IS_UP = {
  title: "The time is up",
  text: "The sign-in was not completed in time. Start again.",
};

export function beginBrowserSignIn(chosen: BrowserSignInInput): void {
  void attemptsOf(vestibule).begin(chosen);
}

export function cancelBrowserSignIn() {
  return attemptsOf(vestibule).cancel();
}

/** Forgets why the last sign-in by the browser has failed. */
export function clearBrowserAttempt(): void {
  attemptsOf(vestibule).clear();
}

/** The sign-in by the browser that is about to begin here, or why the last one has failed. */
export function useBrowserAttempt(): Attempt & {
  /** Seconds until the next try is allowed. */
  wait: number;
} {
  const attempt = useStore(attemptsOf(vestibule));
  return { ...attempt, wait: useCountdown(attempt.failure?.until ?? null) };
}

/** What begins a sign-in like this one. */
export function sameAgain({ button, redirect }: BrowserSignIn): BrowserSignInInput {
  return redirect === null ? { device: true } : { button };
}
