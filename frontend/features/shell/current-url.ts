"use client";

import { usePathname, useSearchParams } from "next/navigation";

/** The window's current path and query, to which a redirect can lead back. */
export function useCurrentUrl(): string {
  const path = usePathname();
  const query = useSearchParams().toString();
  return query ? `${path}?${query}` : path;
}
