"use client";

import { useEffect } from "react";
import type { AccountSummary } from "vestibule";

/** So many accounts can be reached by a digit: with Ctrl or Cmd everywhere, alone in the chooser. */
export const DIGITS = 9;

/** Lets the keys 1 to 9 choose an account, wherever the focus is but in a field. */
export function useDigits(
  accounts: AccountSummary[],
  onPick: (account: AccountSummary) => void,
): void {
  useEffect(() => {
    const choose = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target instanceof HTMLInputElement || !/^[1-9]$/.test(event.key)) return;
      const account = accounts[Number(event.key) - 1];
      if (account) onPick(account);
    };
    window.addEventListener("keydown", choose);
    return () => window.removeEventListener("keydown", choose);
  }, [accounts, onPick]);
}
