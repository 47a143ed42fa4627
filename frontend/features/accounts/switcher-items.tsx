"use client";

import { Check, Search, SquareUserRound, UserRoundPlus } from "lucide-react";
import { useRouter } from "next/navigation";
import { toast } from "sonner";
import type { AccountList, AuthError } from "vestibule";
import { Kbd } from "@/components/ui/kbd";
import { MenuItem, MenuRadioGroup, MenuRadioItem } from "@/components/ui/menu";
import { routes } from "@/lib/routes";
import { shortcut } from "@/lib/shortcut";
import { messages } from "@/lib/vestibule";
import { AccountLine } from "./account-line";
import { addAccount, onlyWorkspace, switchTo } from "./actions";
import { setFinding } from "./finding";
import { isSearchable } from "./search";

/** So many accounts can be reached by Ctrl or Cmd and a digit. */
const SHORTCUTS = 9;

/**
 * The items of a menu that lead to other accounts. A search field has no place in a menu, so from some
 * accounts on an item opens the dialog that has one. `onLeave` is called where the focus goes there.
 */
export function SwitcherItems({ list, onLeave }: { list: AccountList; onLeave: () => void }) {
  const router = useRouter();
  const told = async (work: Promise<AuthError | null>) => {
    const failed = await work;
    if (failed) toast.error(messages.describe(failed));
  };

  function choose(id: string) {
    const account = list.accounts.find((one) => one.id === id);
    if (account && id !== list.current) void told(switchTo(account));
  }

  function add() {
    const workspace = onlyWorkspace(list);
    if (workspace === null) router.push(routes.addAccount);
    else void told(addAccount(workspace));
  }

  return (
    <>
      {isSearchable(list) && (
        <MenuItem
          onSelect={() => {
            onLeave();
            setFinding(true);
          }}
        >
          <Search aria-hidden />
          Search accounts…
        </MenuItem>
      )}
      {list.accounts.length > 1 && (
        <MenuRadioGroup
          aria-label="Accounts"
          value={list.current ?? ""}
          onValueChange={choose}
          className="max-h-60 overflow-y-auto"
        >
          {list.accounts.map((account, place) => (
            <MenuRadioItem
              key={account.id}
              value={account.id}
              textValue={messages.accountName(account)}
            >
              <AccountLine account={account} list={list} />
              {account.id === list.current && (
                <Check aria-hidden className="size-4 shrink-0 text-accent" />
              )}
              {place < SHORTCUTS && (
                <Kbd className="min-w-8 shrink-0 pl-0! text-right">{shortcut(`${place + 1}`)}</Kbd>
              )}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      )}
      <MenuItem onSelect={add}>
        <UserRoundPlus aria-hidden />
        Add account…
      </MenuItem>
      <MenuItem onSelect={() => router.push(routes.accounts)}>
        <SquareUserRound aria-hidden />
        Manage accounts…
      </MenuItem>
    </>
  );
}
