"use client";

import { useAuthState } from "vestibule/react";
import { BrowserScreen } from "./browser-screen";
import { LoginScreen } from "./login-screen";
import { OtpScreen } from "./otp-screen";

/** The sign-in screens in front of a page that waits, at that page's address. */
export function SignInOverlay({ keptFor }: { keptFor: string }) {
  const { status } = useAuthState();
  switch (status) {
    case "otp_pending":
      return <OtpScreen />;
    case "browser_pending":
      return <BrowserScreen />;
    default:
      return <LoginScreen keptFor={keptFor} />;
  }
}
