"use client";

import type { ReactNode } from "react";
import { auth, type Permission } from "./auth";

/** What only those see whose roles let them do this. Nobody else gets it into their page. */
export function May({ do: permission, children }: { do: Permission; children: ReactNode }) {
  return auth.useMay(permission) ? children : null;
}
