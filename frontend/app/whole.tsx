"use client";

import type { ReactNode } from "react";
import { SignInHere } from "@/features/auth/sign-in-here";
import { Frame } from "@/features/shell/frame";

/** The frame of every page, and the sign-in screen that may stand in front of one. */
export function Whole({ children }: { children: ReactNode }) {
  return <Frame SignIn={SignInHere}>{children}</Frame>;
}
