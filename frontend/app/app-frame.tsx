"use client";

import type { ReactNode } from "react";
import { SignInOverlay } from "@/features/auth/sign-in-overlay";
import { Frame } from "@/features/shell/frame";

/** The frame of every page, with the sign-in screen that may be shown in front of one. */
export function AppFrame({ children }: { children: ReactNode }) {
  return <Frame SignIn={SignInOverlay}>{children}</Frame>;
}
