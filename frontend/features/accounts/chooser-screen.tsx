"use client";

import { UserRoundPlus } from "lucide-react";
import { useState } from "react";
import { type AccountList, type AccountSummary, type AuthError, offersAccounts } from "vestibule";
import { useAccountsSnapshot } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/failed";
import { Mark } from "@/components/ui/mark";
import { PageTitle } from "@/components/ui/page";
import { accounts, messages } from "@/lib/vestibule";
import { AccountPicker } from "./account-picker";
import { addAccount, onlyWorkspace, switchTo } from "./actions";
import { AddAccount } from "./add-account";

/** Shown in a window that has no account, in place of every page. */
export function ChooserScreen() {
  const snapshot = useAccountsSnapshot();
  const [adding, setAdding] = useState(false);
  if (snapshot.kind === "waiting") return null;
  return (
    <main id="main" tabIndex={-1}>
      {snapshot.kind === "known" && adding ? (
        <AddAccount list={snapshot.list} onCancel={() => setAdding(false)} />
      ) : (
        <div className="mx-auto flex min-h-dvh w-full max-w-md animate-fade flex-col justify-center px-4 py-10">
          <PageTitle>Who is it?</PageTitle>
          <Mark className="mx-auto mb-5 size-10 text-accent" />
          <h1 className="text-center text-2xl font-semibold">Who is it?</h1>
          <div className="mt-6">
            {snapshot.kind === "known" ? (
              <Choice list={snapshot.list} onAdd={() => setAdding(true)} />
            ) : (
              <Failed onRetry={() => void accounts.start()}>
                {messages.describe(snapshot.error)}
              </Failed>
            )}
          </div>
        </div>
      )}
    </main>
  );
}

function Choice({ list, onAdd }: { list: AccountList; onAdd: () => void }) {
  const [failure, setFailure] = useState<AuthError | null>(null);

  async function tell(work: Promise<AuthError | null>) {
    setFailure(null);
    setFailure(await work);
  }

  function add() {
    const workspace = onlyWorkspace(list);
    if (workspace === null) onAdd();
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
        <div className="rounded-2xl border border-line bg-surface p-2 shadow-card">
          <AccountPicker
            list={list}
            digits
            onPick={(account: AccountSummary) => void tell(switchTo(account))}
          />
        </div>
      )}
      {offersAccounts(list) && (
        <div className="mt-5 text-center">
          <Button look={list.accounts.length === 0 ? "primary" : "quiet"} onClick={add}>
            <UserRoundPlus aria-hidden className="size-4" />
            Add account
          </Button>
        </div>
      )}
    </>
  );
}
