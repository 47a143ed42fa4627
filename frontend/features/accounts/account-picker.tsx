"use client";

import { Check } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { AccountList, AccountSummary } from "vestibule";
import { Choice } from "@/components/ui/choice";
import { Input } from "@/components/ui/input";
import { Kbd } from "@/components/ui/kbd";
import { moveByArrowKeys } from "@/lib/arrow-keys";
import { AccountLine } from "./account-line";
import { DIGITS, useDigits } from "./digits";
import { isSearchable, search } from "./search";

/**
 * A list to choose an account from, by keyboard first: arrows, Enter, and a search field where there are
 * many. With `digits` the keys 1 to 9 choose too, wherever the focus is but in a field.
 */
export function AccountPicker({
  list,
  onPick,
  digits = false,
}: {
  list: AccountList;
  onPick: (account: AccountSummary) => void;
  digits?: boolean;
}) {
  const [query, setQuery] = useState("");
  const whole = useRef<HTMLDivElement>(null);
  const searchable = isSearchable(list);
  const found = searchable ? search(list, query) : list.accounts;
  useDigits(digits ? list.accounts : [], onPick);

  useEffect(() => whole.current?.querySelector<HTMLElement>("input, button")?.focus(), []);

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    const [first] = found;
    if (event.key === "Enter" && first) {
      event.preventDefault();
      onPick(first);
    }
    if (event.key === "Escape") setQuery("");
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys of what is inside bubble up to here
    <div ref={whole} onKeyDown={moveByArrowKeys}>
      {searchable && (
        <>
          <Input
            type="search"
            aria-label="Search accounts"
            placeholder="Name, e-mail or workspace"
            autoComplete="off"
            spellCheck={false}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <p role="status" className="sr-only">
            {query && `${found.length} of ${list.accounts.length} accounts`}
          </p>
        </>
      )}
      {found.length === 0 ? (
        query && <p className="px-3 py-6 text-center text-sm text-muted">No account matches.</p>
      ) : (
        <ul
          aria-label="Accounts"
          className={searchable ? "mt-3 max-h-[50vh] overflow-y-auto" : undefined}
        >
          {found.map((account) => {
            const current = account.id === list.current;
            const index = list.accounts.indexOf(account);
            return (
              <li key={account.id}>
                <Choice aria-current={current || undefined} onClick={() => onPick(account)}>
                  <AccountLine account={account} list={list} />
                  {current && <Check aria-hidden className="size-4 shrink-0 text-accent" />}
                  {digits && index < DIGITS && <Kbd className="pl-2">{index + 1}</Kbd>}
                </Choice>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
