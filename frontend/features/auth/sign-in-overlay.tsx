"use client";

import { auth } from "@/lib/auth";
import { LoginScreen } from "./login-screen";
import { OtpScreen } from "./otp-screen";

/** The sign-in screens in front of a page that waits, at that page's address. */
export function SignInOverlay({ keptFor }: { keptFor: string }) {
  const state = auth.useAuthState();
  return state.status === "otp_pending" ? <OtpScreen /> : <LoginScreen keptFor={keptFor} />;
}
