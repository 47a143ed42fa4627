"use client";

import { currentAccount, offersAccounts, type WorkspaceSummary } from "vestibule";
import { useAccounts } from "vestibule/react";
import { namedWorkspace } from "@/lib/named-workspace";

/** The workspace that a person signs in to here, where the app has several; else null. */
function useWorkspaceHere(): WorkspaceSummary | null {
  const list = useAccounts();
  if (!list || !offersAccounts(list)) return null;
  const account = currentAccount(list);
  return account && namedWorkspace(list, account);
}

/** Says where a password goes, before it is typed. */
export function useWorkspaceLine() {
  const workspace = useWorkspaceHere();
  if (!workspace) return null;
  const { name, host } = workspace;
  return (
    <p>
      at <strong className="font-medium text-ink">{name}</strong>
      {name !== host && <span className="break-all"> · {host}</span>}
    </p>
  );
}
