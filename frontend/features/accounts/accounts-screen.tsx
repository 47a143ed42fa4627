"use client";

import Link from "next/link";
import { currentAccount } from "vestibule";
import { useAccounts } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { Page, PageHeading, PageTitle } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { AccountEntries } from "./account-entries";
import { AddedServers } from "./added-servers";
import { KeepInList } from "./keep-in-list";
import { SignOutOfAll } from "./sign-out-of-all";

/** All accounts, and what can be done with them. */
export function AccountsScreen() {
  const list = useAccounts();
  if (!list) return null;
  const current = currentAccount(list);
  return (
    <Page>
      <PageTitle>Accounts</PageTitle>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <PageHeading>Accounts</PageHeading>
        <Button asChild size="sm">
          <Link href={routes.addAccount}>Add account</Link>
        </Button>
      </div>
      <div className="mt-6 grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid grid-cols-1 gap-5">
          <AccountEntries list={list} />
          <AddedServers list={list} />
        </div>
        <div className="grid grid-cols-1 gap-5">
          {current?.owner && <KeepInList account={current} owner={current.owner} />}
          <SignOutOfAll list={list} />
        </div>
      </div>
    </Page>
  );
}
