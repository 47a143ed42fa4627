"use client";

import Link from "next/link";
import type { ComponentType, ReactNode } from "react";
import { Mark } from "@/components/ui/mark";
import { PRODUCT } from "@/components/ui/page";
import { Toaster } from "@/components/ui/toaster";
import { routes } from "@/lib/routes";
import { type AccountParts, AccountPartsContext } from "./account-parts";
import { Banners } from "./banners";
import { Header } from "./header";
import { KeptPage, KeptPageProvider } from "./kept-page";
import { SessionGate } from "./session-gate";
import { SessionToasts } from "./session-toasts";

/** The frame around every page. `SignIn` is shown in front of a page whose session has ended. */
export function Frame({
  SignIn,
  accountParts,
  children,
}: {
  SignIn: ComponentType<{ keptFor: string }>;
  accountParts: AccountParts;
  children: ReactNode;
}) {
  return (
    <AccountPartsContext value={accountParts}>
      <SessionGate>
        <KeptPageProvider>
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
            <KeptPage SignIn={SignIn}>{children}</KeptPage>
          </main>
          <SessionToasts />
        </KeptPageProvider>
      </SessionGate>
      <accountParts.Layer />
      <Toaster />
    </AccountPartsContext>
  );
}
