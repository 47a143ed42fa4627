"use client";

import { useEffect, useRef } from "react";
import { type AccountList, type AccountSummary, hasSession, workspaceOf } from "vestibule";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { useConfirmation } from "@/lib/confirmation";
import { messages } from "@/lib/vestibule";
import { AccountLine } from "./account-line";
import { removeAccount, switchTo } from "./actions";
import { tellFailure } from "./failure-toast";

/** The accounts in their order, each with buttons to show and to remove it. */
export function AccountEntries({ list }: { list: AccountList }) {
  const entries = useRef<HTMLUListElement>(null);
  const count = list.accounts.length;
  const before = useRef(count);
  // The focused button is gone with its account, so the list gets the focus.
  useEffect(() => {
    if (count < before.current && document.activeElement === document.body)
      entries.current?.focus();
    before.current = count;
  }, [count]);
  return (
    <Card
      title="On this computer"
      description={`The app holds ${list.most} accounts at most, each with a session of its own.`}
    >
      <ul ref={entries} tabIndex={-1} aria-label="Accounts" className="divide-y divide-line">
        {list.accounts.map((account) => (
          <Entry key={account.id} account={account} list={list} />
        ))}
      </ul>
    </Card>
  );
}

function Entry({ account, list }: { account: AccountSummary; list: AccountList }) {
  const name = messages.accountName(account);
  return (
    <li className="flex flex-wrap items-center gap-3 py-3 text-sm first:pt-0 last:pb-0">
      <span className="flex min-w-52 flex-1 items-center gap-3">
        <AccountLine account={account} list={list} />
      </span>
      <span className="ml-auto flex items-center gap-2">
        {account.id === list.current ? (
          <Badge tone="accent">This window</Badge>
        ) : (
          <Button
            look="secondary"
            size="sm"
            aria-label={`Switch to ${name}`}
            onClick={() => void tellFailure(switchTo(account))}
          >
            Switch
          </Button>
        )}
        <Remove account={account} list={list} />
      </span>
    </li>
  );
}

function Remove({ account, list }: { account: AccountSummary; list: AccountList }) {
  const name = messages.accountName(account);
  const removing = useConfirmation(() => removeAccount(list, account));
  return (
    <Confirm
      {...removing}
      trigger={
        <Button look="quiet" size="sm" aria-label={`Remove ${name}`}>
          Remove
        </Button>
      }
      title={`Remove ${name}?`}
      description={whatIsLost(account, workspaceOf(list, account)?.name ?? null)}
      confirm="Remove account"
    />
  );
}

function whatIsLost({ owner, standing }: AccountSummary, workspace: string | null): string {
  const server = workspace ? `At ${workspace} nothing is deleted.` : "Nothing is deleted there.";
  if (hasSession(standing)) {
    return `The account is signed out in all windows, and what was typed there is lost. This computer forgets its name and e-mail. ${server}`;
  }
  return owner
    ? `This computer forgets its name and e-mail. ${server}`
    : "Nobody is signed in to it, so nothing is lost.";
}
