// Lists of accounts that tests start from.

import type { AccountList, AccountStanding, AccountSummary, WorkspaceSummary } from "vestibule";

export const acme: WorkspaceSummary = {
  id: "acme",
  name: "Acme",
  host: "id.acme.example",
  added: false,
};

export const globex: WorkspaceSummary = {
  id: "globex",
  name: "Globex",
  host: "auth.globex.example:8443",
  added: true,
};

/** The list of an app that offers one account, as most apps do. */
export const oneAccount: AccountList = {
  revision: 0,
  current: "a1",
  accounts: [account("a1", "Ada Lovelace", { email: "ada@example.com" })],
  workspaces: [acme],
  most: 1,
  adding: false,
};

/** An account; without a name one in which nobody has signed in. */
export function account(
  id: string,
  name: string | null,
  more: {
    email?: string;
    workspace?: string;
    standing?: AccountStanding;
    remembered?: boolean;
  } = {},
): AccountSummary {
  const email = more.email ?? `${name?.split(" ")[0]?.toLowerCase()}@example.com`;
  return {
    id,
    workspace: more.workspace ?? "acme",
    owner: name === null ? null : { name, email, image: null },
    standing:
      more.standing ?? (name === null ? { kind: "signed_out", why: "never" } : { kind: "kept" }),
    remembered: more.remembered ?? true,
  };
}

export const adas = account("a1", "Ada Lovelace", { standing: { kind: "fresh" } });
export const bobs = account("a2", "Bob Hopper");
export const cys = account("a3", "Cy Wood", { workspace: "globex", standing: { kind: "stale" } });

/** Three people in two workspaces; the window shows Ada. */
export function accountList(more: Partial<AccountList> = {}): AccountList {
  return {
    revision: 0,
    current: "a1",
    accounts: [adas, bobs, cys],
    workspaces: [acme, globex],
    most: 50,
    adding: false,
    ...more,
  };
}

const NAMES = ["Ada", "Bob", "Cy", "Di", "Eve", "Flo", "Gus", "Hal", "Ida", "Jo", "Kim", "Lou"];

/** So many accounts in one workspace; the window shows the first. */
export function crowd(count: number, more: Partial<AccountList> = {}): AccountList {
  const accounts = Array.from({ length: count }, (_, place) =>
    account(`a${place + 1}`, `${NAMES[place % NAMES.length]} ${place + 1}`, {
      email: `person${place + 1}@example.com`,
    }),
  );
  return accountList({ accounts, workspaces: [acme], ...more });
}
