"use client";

import { lazy, Suspense } from "react";
import { useAuthState } from "vestibule/react";
import { LoginScreen } from "./login-screen";
import { OtpScreen } from "./otp-screen";

// Every page loads what is imported here, and few ever show this screen.
const BrowserScreen = lazy(async () => {
  const { BrowserScreen } = await import("./browser-screen");
  return { default: BrowserScreen };
});

/** The sign-in screens in front of a page that waits, at that page's address. */
export function SignInOverlay({ keptFor }: { keptFor: string }) {
  const { status } = useAuthState();
  switch (status) {
    case "otp_pending":
      return <OtpScreen />;
    case "browser_pending":
      return (
        <Suspense fallback={null}>
          <BrowserScreen />
        </Suspense>
      );
    default:
      return <LoginScreen keptFor={keptFor} />;
  }
}
