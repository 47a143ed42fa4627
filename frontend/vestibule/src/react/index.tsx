"use client";

import type { ReactNode } from "react";
import { auth, type Right } from "./auth";

/** Renders its children only for users whose roles include this right. */
export function May({ do: right, children }: { do: Right; children: ReactNode }) {
  return auth.useMay(right) ? children : null;
}
