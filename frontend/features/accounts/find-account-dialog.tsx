"use client";

import type { AccountList, AccountSummary } from "vestibule";
import { Dialog } from "@/components/ui/dialog";
import { AccountPicker } from "./account-picker";
import { switchTo } from "./actions";
import { tellFailure } from "./failure-toast";
import { setSearchOpen } from "./search-dialog";

/** The open dialog that finds one of many accounts. */
export function FindAccountDialog({ list }: { list: AccountList }) {
  function pick(account: AccountSummary) {
    setSearchOpen(false);
    if (account.id !== list.current) void tellFailure(switchTo(account));
  }
  return (
    <Dialog open onOpenChange={setSearchOpen} title="Find an account">
      <AccountPicker list={list} onPick={pick} />
    </Dialog>
  );
}
