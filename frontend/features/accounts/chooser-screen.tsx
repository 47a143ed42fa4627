"use client";

import { UserRoundPlus } from "lucide-react";
import Link from "next/link";
import { type AccountList, type AccountSummary, offersAccounts } from "vestibule";
import { useAccountsSnapshot } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/failed";
import { Mark } from "@/components/ui/mark";
import { PageTitle } from "@/components/ui/page";
import { routes } from "@/lib/routes";
import { accounts, messages } from "@/lib/vestibule";
import { AccountPicker } from "./account-picker";
import { switchTo } from "./actions";
import { useAddAccount } from "./use-add-account";
import { useAttempt } from "./use-attempt";

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
            <AccountChoice list={snapshot.list} />
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

function AccountChoice({ list }: { list: AccountList }) {
  const add = useAddAccount(list);
  const { failure, attempt } = useAttempt();

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
            onPick={(account: AccountSummary) => void attempt(switchTo(account))}
          />
        </div>
      )}
      {offersAccounts(list) && (
        <div className="mt-5 flex flex-wrap justify-center gap-2">
          <Button
            look={list.accounts.length === 0 ? "primary" : "quiet"}
            onClick={() => void attempt(add())}
          >
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
