"use client";

import { auth } from "@/lib/auth";
import { LoginScreen } from "./login-screen";
import { OtpScreen } from "./otp-screen";

/** The sign-in screens without an address of their own, in front of a page that waits. */
export function SignInHere({ keptFor }: { keptFor: string }) {
  const state = auth.useAuthState();
  return state.status === "otp_pending" ? <OtpScreen /> : <LoginScreen keptFor={keptFor} />;
}
