"use client";

import { AccountNotices } from "./account-notices";
import { Departing } from "./departing";
import { FindAccount } from "./find-account";

/** What concerns all accounts, over every page. */
export function AccountLayer() {
  return (
    <>
      <AccountNotices />
      <FindAccount />
      <Departing />
    </>
  );
}
