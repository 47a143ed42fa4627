"use client";

import { Server } from "lucide-react";
import type { AccountList, WorkspaceSummary } from "vestibule";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { IconTile } from "@/components/ui/icon-tile";
import { useConfirmation } from "@/lib/confirmation";
import { removeWorkspace } from "./actions";

/** The servers that a person has added by their address, who can remove them again. */
export function AddedServers({ list }: { list: AccountList }) {
  const added = list.workspaces.filter((workspace) => workspace.added);
  if (added.length === 0) return null;
  return (
    <Card title="Added servers" description="They came from an address that was typed here.">
      <ul aria-label="Added servers" className="divide-y divide-line">
        {added.map((workspace) => (
          <Entry key={workspace.id} workspace={workspace} list={list} />
        ))}
      </ul>
    </Card>
  );
}

function Entry({ workspace, list }: { workspace: WorkspaceSummary; list: AccountList }) {
  const { id, name, host } = workspace;
  const removing = useConfirmation(() => removeWorkspace(list, id));
  const inside = list.accounts.filter((account) => account.workspace === id).length;
  return (
    <li className="flex items-center gap-3 py-3 first:pt-0 last:pb-0">
      <IconTile>
        <Server aria-hidden />
      </IconTile>
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{name}</p>
        {name !== host && <p className="text-sm break-all text-muted">{host}</p>}
      </div>
      <Confirm
        {...removing}
        trigger={
          <Button look="quiet" size="sm" aria-label={`Remove the server ${name}`}>
            Remove server
          </Button>
        }
        title={`Remove ${name}?`}
        description={`${howMany(inside)} This computer forgets the server. You can add it again by its address.`}
        confirm="Remove server"
      />
    </li>
  );
}

function howMany(accounts: number): string {
  if (accounts === 0) return "No account is in it.";
  return accounts === 1
    ? "The account in it is signed out and removed."
    : `All ${accounts} accounts in it are signed out and removed.`;
}
