"use client";

import { Check, Search, SquareUserRound, UserRoundPlus } from "lucide-react";
import { useRouter } from "next/navigation";
import type { AccountList } from "vestibule";
import { Kbd } from "@/components/ui/kbd";
import {
  Menu,
  MenuItem,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  useLeaving,
} from "@/components/ui/menu";
import type { MenuState } from "@/components/ui/menu-button";
import { routes } from "@/lib/routes";
import { shortcut } from "@/lib/shortcut";
import { messages } from "@/lib/vestibule";
import { AccountLine } from "./account-line";
import { switchTo } from "./actions";
import { DIGITS } from "./digits";
import { tellFailure } from "./failure-toast";
import { isSearchable } from "./search";
import { setSearchOpen } from "./search-dialog";
import { useAddAccount } from "./use-add-account";

/** The open menu of all accounts. */
export function SwitcherMenu({ menu, list }: { menu: MenuState; list: AccountList }) {
  const { leaveFocus, leavesFocus } = useLeaving();
  return (
    <Menu menu={menu} leavesFocus={leavesFocus} className="w-80">
      <SwitcherItems list={list} onLeave={leaveFocus} />
    </Menu>
  );
}

/** The same in the user's menu, with the line that parts them from what follows. */
export function SwitcherSection(props: { list: AccountList; onLeave: () => void }) {
  return (
    <>
      <SwitcherItems {...props} />
      <MenuSeparator />
    </>
  );
}

/**
 * The items of a menu that lead to other accounts. A search field has no place in a menu, so from some
 * accounts on an item opens the dialog that has one. `onLeave` is called where the focus goes there.
 */
function SwitcherItems({ list, onLeave }: { list: AccountList; onLeave: () => void }) {
  const router = useRouter();
  const add = useAddAccount(list);

  function choose(id: string) {
    const account = list.accounts.find((one) => one.id === id);
    if (account && id !== list.current) void tellFailure(switchTo(account));
  }

  return (
    <>
      {isSearchable(list) && (
        <MenuItem
          onSelect={() => {
            onLeave();
            setSearchOpen(true);
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
          className="max-h-[min(20rem,32vh)] overflow-y-auto"
        >
          {list.accounts.map((account, index) => (
            <MenuRadioItem
              key={account.id}
              value={account.id}
              textValue={messages.accountName(account)}
            >
              <AccountLine account={account} list={list} />
              {account.id === list.current && (
                <Check aria-hidden className="size-4 shrink-0 text-accent" />
              )}
              {index < DIGITS && (
                <Kbd className="min-w-8 shrink-0 pl-0! text-right">{shortcut(`${index + 1}`)}</Kbd>
              )}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      )}
      {list.accounts.length > 1 && <MenuSeparator />}
      <MenuItem onSelect={() => void tellFailure(add())}>
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
