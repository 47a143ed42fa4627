"use client";

import { isEnding } from "vestibule";
import { useAuthState } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { messages } from "@/lib/vestibule";
import type { Notice } from "./notice";

/** Why the user sees the sign-in screen, where there is a reason to show. */
export function LoginNotice({ notice }: { notice: Notice | null }) {
  const state = useAuthState();
  if (notice) return <Alert tone={notice.tone}>{notice.text}</Alert>;
  if (state.status === "signed_in" || state.status === "restoring") {
    return (
      <Alert tone="info">
        Your session is still held while the server does not answer. Signing in again replaces it.
      </Alert>
    );
  }
  if (state.status !== "signed_out") return null;
  if (isEnding(state.why)) {
    const { title, text, grave } = messages.ending(state.why);
    return (
      <Alert tone={grave ? "danger" : "warning"} title={title}>
        {text}
      </Alert>
    );
  }
  if (state.why === "by_user") {
    return (
      <p role="status" className="text-sm text-muted">
        You are signed out.
      </p>
    );
  }
  return null;
}
