"use client";

import { ChevronDown, UsersRound } from "lucide-react";
import { type AccountList, offersAccounts } from "vestibule";
import { useAccounts } from "vestibule/react";
import { Menu, MenuContent, MenuSeparator, MenuTrigger, useMenuFocus } from "@/components/ui/menu";
import { SwitcherItems } from "./switcher-items";

/** The accounts as a part of the user's menu, with the line that parts them from what follows. */
export function UserMenuAccounts({ onLeave }: { onLeave: () => void }) {
  const list = useAccounts();
  if (!list || !offersAccounts(list)) return null;
  return (
    <>
      <SwitcherItems list={list} onLeave={onLeave} />
      <MenuSeparator />
    </>
  );
}

/** Whether there is another account or workspace to go to. */
function hasAlternatives({ accounts, workspaces, adding }: AccountList): boolean {
  return accounts.length > 1 || workspaces.length > 1 || adding;
}

/** The way to other accounts where nobody is signed in to this one, so that there is no user's menu. */
export function AccountsButton() {
  const list = useAccounts();
  const { leaveFocus, onCloseAutoFocus } = useMenuFocus();
  if (!list || !offersAccounts(list) || !hasAlternatives(list)) return null;
  return (
    <Menu modal={false}>
      <MenuTrigger className="flex h-8 shrink-0 items-center gap-2 rounded-lg px-3 text-sm font-medium hover:bg-sunken data-[state=open]:bg-sunken">
        <UsersRound aria-hidden className="size-4 text-muted" />
        Accounts
        <ChevronDown aria-hidden className="size-4 text-muted" />
      </MenuTrigger>
      <MenuContent className="w-80" onCloseAutoFocus={onCloseAutoFocus}>
        <SwitcherItems list={list} onLeave={leaveFocus} />
      </MenuContent>
    </Menu>
  );
}
