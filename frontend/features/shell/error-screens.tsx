"use client";

import Link from "next/link";
import type { AuthError } from "vestibule";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/failed";
import { Centered, PageHeading, PageTitle } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { accounts, messages } from "@/lib/vestibule";

export function NotFoundScreen() {
  return (
    <Centered>
      <PageTitle>Page not found</PageTitle>
      <PageHeading>There is no such page</PageHeading>
      <p className="mt-2 text-muted">The address may be out of date.</p>
      <Button asChild className="mt-6">
        <Link href={routes.home}>Go to the start page</Link>
      </Button>
    </Centered>
  );
}

/** Without the list it is not known whether this app offers accounts, and so whether there is such a page. */
export function NoAccountListScreen({ error }: { error: AuthError }) {
  return (
    <Centered>
      <PageTitle>Accounts</PageTitle>
      <PageHeading>The accounts could not be read</PageHeading>
      <div className="mt-6 w-full text-left">
        <Failed onRetry={() => void accounts.start()}>{messages.describe(error)}</Failed>
      </div>
    </Centered>
  );
}

export function BrokenScreen({ retry }: { retry: () => void }) {
  return (
    <Centered>
      <PageTitle>Something went wrong</PageTitle>
      <h1 className="text-2xl font-semibold">Something went wrong</h1>
      <p role="alert" className="mt-2 text-muted">
        This page could not be shown. Your session is not affected.
      </p>
      <div className="mt-6 flex gap-2.5">
        <Button onClick={retry}>Try again</Button>
        <Button look="secondary" onClick={() => window.location.reload()}>
          Reload the window
        </Button>
      </div>
    </Centered>
  );
}
