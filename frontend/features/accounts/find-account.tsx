"use client";

import { useAccounts } from "vestibule/react";
import { OnDemand } from "@/components/ui/on-demand";
import { createPart } from "@/lib/part";
import { useSearchOpen } from "./search-dialog";

const dialogPart = createPart(() => import("./find-account-dialog"));

/** The dialog that finds one of many accounts, where it is open. */
export function FindAccount() {
  const list = useAccounts();
  const open = useSearchOpen();
  if (!open || !list) return null;
  return (
    <OnDemand part={dialogPart}>
      {({ FindAccountDialog }) => <FindAccountDialog list={list} />}
    </OnDemand>
  );
}
