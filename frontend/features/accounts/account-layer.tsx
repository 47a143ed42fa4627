"use client";

import { AccountNotices } from "./account-notices";
import { FindAccount } from "./find-account";
import { LinkNotices } from "./link-notices";
import { ReloadingOverlay } from "./reloading-overlay";

/** What concerns all accounts, over every page. */
export function AccountLayer() {
  return (
    <>
      <AccountNotices />
      <FindAccount />
      <LinkNotices />
      <ReloadingOverlay />
    </>
  );
}
