"use client";

import { useRouter } from "next/navigation";
import { type AccountList, type AuthError, isFull } from "vestibule";
import { routes } from "@/lib/routes";
import { addAccount } from "./actions";

/** Adds an account: at once, or on a page where there is something to choose or to say first. */
export function useAddAccount(list: AccountList): () => Promise<AuthError | null> {
  const router = useRouter();
  return async () => {
    const workspace = onlyWorkspace(list);
    if (workspace !== null) return addAccount(workspace);
    router.push(routes.addAccount);
    return null;
  };
}

function onlyWorkspace(list: AccountList): string | null {
  if (list.adding || list.workspaces.length !== 1 || isFull(list)) return null;
  return list.workspaces[0]?.id ?? null;
}
