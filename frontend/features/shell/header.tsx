"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { isEnding } from "vestibule";
import { May, useAuthState, useFeatures } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { routes, withNext } from "@/lib/routes";
import { useAccountParts } from "./account-parts";
import { useCurrentUrl } from "./current-url";
import { useKeptPage } from "./kept-page";
import { UserMenu } from "./user-menu";

export function Header({ brand }: { brand: ReactNode }) {
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-ground">
      <div className="mx-auto flex h-14 max-w-5xl items-center gap-2 px-4 sm:gap-8 sm:px-6">
        {brand}
        <nav aria-label="Main" className="flex items-center text-sm sm:gap-1">
          <NavLink href={routes.dashboard}>Dashboard</NavLink>
          <NavLink href={routes.payment}>Plans</NavLink>
          <May do="people.see">
            <NavLink href={routes.admin}>People</NavLink>
          </May>
        </nav>
        <div className="ml-auto flex min-w-0 items-center gap-2">
          <WayIn />
        </div>
      </div>
    </header>
  );
}

function NavLink({ href, children }: { href: string; children: ReactNode }) {
  const path = usePathname();
  const current = path === href || `${path}/` === href;
  return (
    <Link
      href={href}
      aria-current={current ? "page" : undefined}
      className={cx(
        "rounded-md px-2.5 py-1.5 transition-colors hover:bg-sunken hover:text-ink",
        current ? "font-medium text-ink" : "text-muted",
      )}
    >
      {children}
    </Link>
  );
}

/**
 * The user's menu, or links to sign in. While it is not known who is signed in, only the other accounts
 * can be offered.
 */
function WayIn() {
  const state = useAuthState();
  const url = useCurrentUrl();
  const { signInReason } = useKeptPage();
  const { register } = useFeatures();
  const { MenuButton } = useAccountParts();
  // A sign-in screen is shown in front of the page already.
  if (signInReason && state.status !== "signed_in") return <MenuButton />;
  switch (state.status) {
    case "signed_in":
      return <UserMenu user={state.user} stale={state.freshness.kind === "stale"} />;
    case "signed_out":
    case "otp_pending":
    case "browser_pending": {
      // After an ended session the user comes back to the same page.
      const ended = state.status === "signed_out" && isEnding(state.why);
      const next = ended ? url : null;
      return (
        <>
          <MenuButton />
          <Button asChild look={register ? "quiet" : "primary"} size="sm">
            <Link href={withNext(routes.login, next)}>Sign in</Link>
          </Button>
          {register && (
            <Button asChild size="sm" className="max-sm:hidden">
              <Link href={routes.register}>Create account</Link>
            </Button>
          )}
        </>
      );
    }
    case "restoring":
      return <MenuButton />;
  }
}
