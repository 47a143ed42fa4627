"use client";

import type { AccountList, AccountSummary } from "vestibule";
import { useAccounts } from "vestibule/react";
import { Dialog } from "@/components/ui/dialog";
import { AccountPicker } from "./account-picker";
import { switchTo } from "./actions";
import { tellFailure } from "./failure-toast";
import { setFinding, useFinding } from "./finding";

/** The dialog that finds one of many accounts. */
export function FindAccount() {
  const list = useAccounts();
  const open = useFinding();
  return (
    <Dialog open={open && list !== null} onOpenChange={setFinding} title="Find an account">
      {list && <Picker list={list} />}
    </Dialog>
  );
}

function Picker({ list }: { list: AccountList }) {
  function pick(account: AccountSummary) {
    setFinding(false);
    if (account.id !== list.current) void tellFailure(switchTo(account));
  }
  return <AccountPicker list={list} onPick={pick} />;
}
