"use client";

import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { NotFoundScreen } from "./error-screens";

/**
 * Tauri serves the start page at unknown addresses. There this shows that the page does not exist.
 */
export function OnlyAt({ path, children }: { path: string; children: ReactNode }) {
  return usePathname() === path ? children : <NotFoundScreen />;
}
