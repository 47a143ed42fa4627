"use client";

import { type AccountList, hasSession } from "vestibule";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { useConfirmation } from "@/lib/confirmation";
import { accounts } from "@/lib/vestibule";

/** Ends the sessions of all accounts, on this computer alone. */
export function SignOutOfAll({ list }: { list: AccountList }) {
  const leaving = useConfirmation(async () => (await accounts.logoutAll()).error);
  const open = list.accounts.filter(({ standing }) => hasSession(standing)).length;
  return (
    <Card
      title="Leaving this computer?"
      description={
        open === 0
          ? "Nobody is signed in."
          : "Sign out of all accounts before somebody else uses it."
      }
    >
      {open > 0 && (
        <Confirm
          {...leaving}
          trigger={
            <Button look="secondary" size="sm">
              Sign out of all accounts
            </Button>
          }
          title="Sign out of all accounts?"
          description="Every account is signed out in every window, and what was typed there is lost. Accounts that are not kept leave the list."
          confirm="Sign out of all"
        />
      )}
    </Card>
  );
}
