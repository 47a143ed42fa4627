"use client";

import { toast } from "sonner";
import type { AccountList, AccountSummary } from "vestibule";
import { useAccounts } from "vestibule/react";
import { Dialog } from "@/components/ui/dialog";
import { messages } from "@/lib/vestibule";
import { AccountPicker } from "./account-picker";
import { switchTo } from "./actions";
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
  async function pick(account: AccountSummary) {
    setFinding(false);
    if (account.id === list.current) return;
    const failed = await switchTo(account);
    if (failed) toast.error(messages.describe(failed));
  }
  return <AccountPicker list={list} onPick={(account) => void pick(account)} />;
}
