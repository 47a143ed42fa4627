"use client";

import type { AccountList, AccountSummary } from "vestibule";
import { useAccounts } from "vestibule/react";
import { Dialog } from "@/components/ui/dialog";
import { AccountPicker } from "./account-picker";
import { switchTo } from "./actions";
import { tellFailure } from "./failure-toast";
import { setSearchOpen, useSearchOpen } from "./search-dialog";

/** The dialog that finds one of many accounts. */
export function FindAccount() {
  const list = useAccounts();
  const open = useSearchOpen();
  return (
    <Dialog open={open && list !== null} onOpenChange={setSearchOpen} title="Find an account">
      {list && <Picker list={list} />}
    </Dialog>
  );
}

function Picker({ list }: { list: AccountList }) {
  function pick(account: AccountSummary) {
    setSearchOpen(false);
    if (account.id !== list.current) void tellFailure(switchTo(account));
  }
  return <AccountPicker list={list} onPick={pick} />;
}
