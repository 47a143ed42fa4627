"use client";

import type { ReactNode } from "react";
import { SignInHere } from "@/features/auth/sign-in-here";
import { Frame } from "@/features/shell/frame";

/** The frame of every page, with the sign-in screen that may be shown in front of one. */
export function Whole({ children }: { children: ReactNode }) {
  return <Frame SignIn={SignInHere}>{children}</Frame>;
}
