"use client";

import { useAuthState } from "vestibule/react";
import { LoginScreen } from "./login-screen";
import { OtpScreen } from "./otp-screen";

/** The sign-in screens in front of a page that waits, at that page's address. */
export function SignInOverlay({ keptFor }: { keptFor: string }) {
  const state = useAuthState();
  return state.status === "otp_pending" ? <OtpScreen /> : <LoginScreen keptFor={keptFor} />;
}
