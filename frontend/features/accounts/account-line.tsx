"use client";

import type { AccountList, AccountStanding, AccountSummary } from "vestibule";
import { Avatar } from "@/components/ui/avatar";
import { cx } from "@/components/ui/cx";
import { namedWorkspace } from "@/lib/named-workspace";
import { messages } from "@/lib/vestibule";

/** An account as every list shows it: whose it is, where, and how it stands. */
export function AccountLine({ account, list }: { account: AccountSummary; list: AccountList }) {
  const { owner, standing } = account;
  const workspace = namedWorkspace(list, account);
  return (
    <>
      <Avatar name={owner?.name ?? ""} image={owner?.image ?? null} />
      <span className="min-w-0 flex-1 text-left leading-snug">
        <span className="flex gap-1.5">
          <span className="truncate font-medium">{messages.accountName(account)}</span>
          {workspace && (
            <span className="max-w-[40%] shrink-0 truncate text-muted">· {workspace.name}</span>
          )}
        </span>
        <span className="flex items-center gap-1.5 text-xs text-muted">
          <Dot standing={standing} />
          <span className="shrink-0">{messages.standing(standing)}</span>
          {owner && <span className="truncate">· {owner.email}</span>}
        </span>
      </span>
    </>
  );
}

/** Repeats the standing as a colour, and never says more than the words beside it. */
function Dot({ standing }: { standing: AccountStanding }) {
  return <span aria-hidden className={cx("size-2 shrink-0 rounded-full border", dot(standing))} />;
}

function dot(standing: AccountStanding): string {
  switch (standing.kind) {
    case "fresh":
      return "border-accent bg-accent";
    case "kept":
      return "border-accent";
    case "stale":
    case "locked":
    case "challenged":
      return "border-warn-text bg-warn-text";
    case "restoring":
      return "border-line-strong";
    case "signed_out":
      switch (standing.why) {
        case "never":
        case "by_user":
          return "border-line-strong";
        case "expired":
        case "device_mismatch":
        case "missing":
        case "provider_moved":
          return "border-warn-text";
        case "revoked":
        case "reuse":
          return "border-danger bg-danger";
      }
  }
}
