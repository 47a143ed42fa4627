"use client";

import type { ReactNode } from "react";
import { VestibuleProvider } from "vestibule/react";
import { SignInOverlay } from "@/features/auth/sign-in-overlay";
import { Frame } from "@/features/shell/frame";
import { vestibule } from "@/lib/vestibule";

/** The frame of every page, with the sign-in screen that may be shown in front of one. */
export function AppFrame({ children }: { children: ReactNode }) {
  return (
    <VestibuleProvider vestibule={vestibule}>
      <Frame SignIn={SignInOverlay}>{children}</Frame>
    </VestibuleProvider>
  );
}
