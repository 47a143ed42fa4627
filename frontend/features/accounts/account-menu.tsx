"use client";

import { ChevronDown, UsersRound } from "lucide-react";
import { type AccountList, offersAccounts } from "vestibule";
import { useAccounts } from "vestibule/react";
import { MenuButton } from "@/components/ui/menu-button";
import { OnDemand } from "@/components/ui/on-demand";
import { createPart } from "@/lib/part";

const itemsPart = createPart(() => import("./switcher-items"));

/** The accounts as a part of the user's menu. */
export function UserMenuAccounts({ onLeave }: { onLeave: () => void }) {
  const list = useAccounts();
  if (!list || !offersAccounts(list)) return null;
  return (
    <OnDemand part={itemsPart}>
      {({ SwitcherSection }) => <SwitcherSection list={list} onLeave={onLeave} />}
    </OnDemand>
  );
}

/** Whether there is another account or workspace to go to. */
function hasAlternatives({ accounts, workspaces, adding }: AccountList): boolean {
  return accounts.length > 1 || workspaces.length > 1 || adding;
}

/** The way to other accounts where nobody is signed in to this one, so that there is no user's menu. */
export function AccountsButton() {
  const list = useAccounts();
  if (!list || !offersAccounts(list) || !hasAlternatives(list)) return null;
  return (
    <MenuButton
      className="flex h-8 shrink-0 items-center gap-2 rounded-lg px-3 text-sm font-medium hover:bg-sunken data-[state=open]:bg-sunken"
      menu={(menu) => (
        <OnDemand part={itemsPart}>
          {({ SwitcherMenu }) => <SwitcherMenu menu={menu} list={list} />}
        </OnDemand>
      )}
    >
      <UsersRound aria-hidden className="size-4 text-muted" />
      Accounts
      <ChevronDown aria-hidden className="size-4 text-muted" />
    </MenuButton>
  );
}
