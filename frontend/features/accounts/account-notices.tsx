"use client";

import { useEffect } from "react";
import { type AccountEnding, type AccountList, endedElsewhere } from "vestibule";
import { toast } from "@/components/ui/toast";
import { namedWorkspace } from "@/lib/named-workspace";
import { accounts, messages } from "@/lib/vestibule";
import { switchTo } from "./actions";
import { tellFailure } from "./failure-toast";

/** Long enough to be read by somebody who was looking elsewhere. */
const SHOWN_MS = 30_000;

/** Says it once when the session of an account has ended that this window does not show. */
export function AccountNotices() {
  useEffect(() => {
    let before = accounts.list();
    return accounts.subscribe(() => {
      const now = accounts.list();
      if (before && now) for (const ending of endedElsewhere(before, now)) tell(now, ending);
      before = now;
    });
  }, []);
  return null;
}

function tell(list: AccountList, { account, why }: AccountEnding) {
  const workspace = namedWorkspace(list, account);
  toast(messages.endedElsewhere(account, why, workspace?.name ?? null), {
    duration: SHOWN_MS,
    action: {
      label: "Sign in",
      onClick: () => void tellFailure(switchTo(account)),
    },
  });
}
