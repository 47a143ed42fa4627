import {
  type AccountList,
  type AccountSummary,
  type WorkspaceSummary,
  workspaceOf,
} from "vestibule";

/** The workspace of an account, to be named beside it; null where all accounts are in the same one. */
export function namedWorkspace(
  list: AccountList,
  account: AccountSummary,
): WorkspaceSummary | null {
  return list.workspaces.length > 1 ? workspaceOf(list, account) : null;
}
