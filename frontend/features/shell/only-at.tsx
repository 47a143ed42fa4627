"use client";

import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { NotFoundScreen } from "./trouble";

/** Tauri answers an unknown address with the start page; that page then says what is wrong. */
export function OnlyAt({ path, children }: { path: string; children: ReactNode }) {
  return usePathname() === path ? children : <NotFoundScreen />;
}
