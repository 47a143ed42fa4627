"use client";

import { useAuthState } from "vestibule/react";
import { BrowserWaiting } from "./browser-waiting";
import { DeviceCode, DeviceCodeComing } from "./device-code";

/** The screen of a sign-in that goes on outside of the app. */
export function BrowserScreen() {
  const state = useAuthState();
  if (state.status !== "browser_pending") return null;
  const { signIn } = state;
  // Another one may follow at once: each has a screen of its own.
  if (signIn.device) return <DeviceCode key={signIn.id} signIn={signIn} device={signIn.device} />;
  if (signIn.redirect === null) return <DeviceCodeComing key={signIn.id} signIn={signIn} />;
  return <BrowserWaiting key={signIn.id} signIn={signIn} />;
}
