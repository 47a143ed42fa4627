"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { Mark } from "@/components/ui/mark";
import { PRODUCT } from "@/components/ui/page";
import { Toaster } from "@/components/ui/toaster";
import { routes } from "@/lib/routes";
import { Banners } from "./banners";
import { SessionGate } from "./gate";
import { Header } from "./header";
import { SessionNews } from "./news";

/** What surrounds every page. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <>
      <SessionGate>
        <a
          href="#main"
          className="sr-only z-50 rounded-lg bg-accent px-4 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        >
          Skip to content
        </a>
        <Header
          brand={
            <Link
              href={routes.home}
              className="flex items-center gap-2.5 rounded-md font-semibold tracking-tight"
            >
              <Mark className="size-5 text-accent" />
              {PRODUCT}
            </Link>
          }
        />
        <Banners />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
        <SessionNews />
      </SessionGate>
      <Toaster />
    </>
  );
}
