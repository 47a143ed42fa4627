import type { AccountList, AccountSummary } from "vestibule";
import { workspaceOf } from "vestibule";
import { messages } from "@/lib/vestibule";

/** From so many accounts on a list has a search field. */
const SEARCH_FROM = 8;

export function isSearchable({ accounts }: AccountList): boolean {
  return accounts.length >= SEARCH_FROM;
}

/** The accounts in whose name, e-mail or workspace each of the words is found, in the list's order. */
export function search(list: AccountList, query: string): AccountSummary[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  return list.accounts.filter((account) => {
    const { name = "", host = "" } = workspaceOf(list, account) ?? {};
    const text = plain([messages.accountName(account), account.owner?.email, name, host].join(" "));
    return words.every((word) => text.includes(word));
  });
}

/** Without capitals and accents, so that "zoe" finds "Zoë". */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLocaleLowerCase();
}
