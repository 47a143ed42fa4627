"use client";

import Link from "next/link";
import { useSearchParams } from "next/navigation";
import type { ReactNode } from "react";
import { withNext } from "@/lib/routes";

/** A link between sign-in screens that keeps the address to which the user wants to go. */
export function TextLink({ href, children }: { href: string; children: ReactNode }) {
  const next = useSearchParams().get("next");
  return (
    <Link
      href={withNext(href, next)}
      className="rounded-sm font-medium text-accent-text underline underline-offset-3 hover:no-underline"
    >
      {children}
    </Link>
  );
}
