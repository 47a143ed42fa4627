"use client";

import { useRouter } from "next/navigation";
import { useAccounts } from "vestibule/react";
import { routes } from "@/lib/routes";
import { AddAccount } from "./add-account";

/** Adding an account, as a page of its own. */
export function AddAccountScreen() {
  const router = useRouter();
  const list = useAccounts();
  if (!list) return null;
  // A window without an account came from the chooser, which stands in place of the start page.
  const back = list.current === null ? routes.home : routes.accounts;
  return <AddAccount list={list} onCancel={() => router.push(back)} />;
}
