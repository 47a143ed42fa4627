"use client";

import { useState } from "react";
import type { AccountOwner, AccountSummary } from "vestibule";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { toast } from "@/components/ui/toast";
import { accounts, messages } from "@/lib/vestibule";

type Setting = "off" | "on";

/** Whether this window's account stays in the list after a sign-out. */
export function KeepInList({ account, owner }: { account: AccountSummary; owner: AccountOwner }) {
  // What was chosen is shown at once; the list says it a moment later.
  const [chosen, setChosen] = useState<boolean | null>(null);
  const on = chosen ?? account.remembered;

  async function choose(next: Setting) {
    setChosen(next === "on");
    const { error } = await accounts.remember(next === "on");
    setChosen(null);
    if (error) toast.error(messages.describe(error));
  }

  return (
    <Card
      title="After signing out"
      description={`Keep ${owner.name} in the list, with ${owner.email}, so that only the password is missing next time.`}
    >
      <Segmented<Setting>
        label="Keep this account in the list after signing out"
        value={on ? "on" : "off"}
        onChange={(next) => void choose(next)}
        options={[
          { value: "off", label: "Forget" },
          { value: "on", label: "Keep" },
        ]}
      />
    </Card>
  );
}
