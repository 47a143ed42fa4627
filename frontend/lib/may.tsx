"use client";

import type { ReactNode } from "react";
import { auth, type Permission } from "./auth";

/** Renders its children only for users whose roles include this permission. */
export function May({ do: permission, children }: { do: Permission; children: ReactNode }) {
  return auth.useMay(permission) ? children : null;
}
