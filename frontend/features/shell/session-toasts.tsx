"use client";

import { useEffect } from "react";
import { isBehindKeyring, type SessionState } from "vestibule";
import { toast } from "@/components/ui/toast";
import { auth } from "@/lib/vestibule";

/** Shows a message in every window when the session changes while the window is open. */
export function SessionToasts() {
  useEffect(() => {
    let before = auth.state();
    return auth.subscribe(() => {
      const now = auth.state();
      const text = toastText(before, now);
      // What was said of one session is not for the next, which may be somebody else's.
      if (sessionId(before) !== sessionId(now)) toast.dismiss();
      before = now;
      if (text) toast(text);
    });
  }, []);
  return null;
}

function sessionId(state: SessionState): string | null {
  return state.status === "signed_in" ? state.session.id : null;
}

function toastText(before: SessionState, now: SessionState): string | null {
  if (before.status !== "signed_in") return null;
  if (now.status === "signed_out" && now.why === "by_user") return "You have signed out.";
  if (
    now.status === "signed_in" &&
    now.freshness.kind === "fresh" &&
    before.freshness.kind === "stale" &&
    before.session.id === now.session.id
  ) {
    return isBehindKeyring(before) ? "Your keyring is open again." : "You are back online.";
  }
  return null;
}
