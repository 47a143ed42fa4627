"use client";

import { UserRoundPlus } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { type AccountList, type AccountSummary, type AuthError, offersAccounts } from "vestibule";
import { useAccountsSnapshot } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/failed";
import { Mark } from "@/components/ui/mark";
import { PageTitle } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { accounts, messages } from "@/lib/vestibule";
import { AccountPicker } from "./account-picker";
import { addAccount, onlyWorkspace, switchTo } from "./actions";

/** Shown in a window that has no account, in place of every page but those about accounts. */
export function ChooserScreen() {
  const snapshot = useAccountsSnapshot();
  if (snapshot.kind === "waiting") return null;
  return (
    <main id="main" tabIndex={-1}>
      <div className="mx-auto flex min-h-dvh w-full max-w-md animate-fade flex-col justify-center px-4 py-10 short:py-4">
        <PageTitle>Who is it?</PageTitle>
        <Mark className="mx-auto mb-5 size-10 text-accent" />
        <h1 className="text-center text-2xl font-semibold">Who is it?</h1>
        <div className="mt-6">
          {snapshot.kind === "known" ? (
            <Choice list={snapshot.list} />
          ) : (
            <Failed onRetry={() => void accounts.start()}>
              {messages.describe(snapshot.error)}
            </Failed>
          )}
        </div>
      </div>
    </main>
  );
}

function Choice({ list }: { list: AccountList }) {
  const router = useRouter();
  const [failure, setFailure] = useState<AuthError | null>(null);

  async function tell(work: Promise<AuthError | null>) {
    setFailure(null);
    setFailure(await work);
  }

  function add() {
    const workspace = onlyWorkspace(list);
    if (workspace === null) router.push(routes.addAccount);
    else void tell(addAccount(workspace));
  }

  return (
    <>
      {failure && (
        <Alert tone="danger" title="The account could not be opened" className="mb-4">
          {messages.describe(failure)}
        </Alert>
      )}
      {list.accounts.length === 0 ? (
        <p className="text-center text-muted">There is no account on this computer yet.</p>
      ) : (
        <div className="rounded-2xl border border-line bg-surface p-3 shadow-card">
          <AccountPicker
            list={list}
            digits
            onPick={(account: AccountSummary) => void tell(switchTo(account))}
          />
        </div>
      )}
      {offersAccounts(list) && (
        <div className="mt-5 flex flex-wrap justify-center gap-2">
          <Button look={list.accounts.length === 0 ? "primary" : "quiet"} onClick={add}>
            <UserRoundPlus aria-hidden className="size-4" />
            Add account
          </Button>
          {list.accounts.length > 0 && (
            <Button asChild look="quiet">
              <Link href={routes.accounts}>Manage accounts</Link>
            </Button>
          )}
        </div>
      )}
    </>
  );
}
