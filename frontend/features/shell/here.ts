"use client";

import { usePathname, useSearchParams } from "next/navigation";

/** The window's address, as a way back leads to it. */
export function useHere(): string {
  const path = usePathname();
  const query = useSearchParams().toString();
  return query ? `${path}?${query}` : path;
}
