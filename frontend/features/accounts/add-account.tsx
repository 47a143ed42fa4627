"use client";

import { Globe, Server } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type AccountList, isFull } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { Choice } from "@/components/ui/choice";
import { IconTile } from "@/components/ui/icon-tile";
import { moveByArrowKeys } from "@/lib/arrow-keys";
import { routes } from "@/lib/routes";
import { messages } from "@/lib/vestibule";
import { addAccount } from "./actions";
import { AddServer } from "./add-server";
import { useAttempt } from "./use-attempt";

/**
 * Asks where a new account is to be: in a workspace that is known, or at another server. With the
 * `address` of a link it asks about that server at once.
 */
export function AddAccount({
  list,
  address,
  onCancel,
}: {
  list: AccountList;
  address?: string;
  onCancel: () => void;
}) {
  const [atOtherServer, setAtOtherServer] = useState(address !== undefined);
  const cancel = (
    <Button look="quiet" size="sm" onClick={onCancel}>
      Cancel
    </Button>
  );
  if (isFull(list)) return <NoRoom most={list.most} below={cancel} />;
  if (atOtherServer && list.adding) {
    const back = () => setAtOtherServer(false);
    return <AddServer list={list} initial={address} onBack={back} below={cancel} />;
  }
  return (
    <WorkspaceChoice list={list} onOtherServer={() => setAtOtherServer(true)} below={cancel} />
  );
}

function NoRoom({ most, below }: { most: number; below: ReactNode }) {
  return (
    <CardPage title="Add an account" below={below}>
      <Alert tone="warning">
        This app holds {most} accounts at most, and there are as many. Remove one that you no longer
        use, then add another.
      </Alert>
      <Button asChild className="mt-6 w-full">
        <Link href={routes.accounts}>Manage accounts</Link>
      </Button>
    </CardPage>
  );
}

function WorkspaceChoice({
  list,
  onOtherServer,
  below,
}: {
  list: AccountList;
  onOtherServer: () => void;
  below: ReactNode;
}) {
  const { failure, attempt } = useAttempt();
  const choices = useRef<HTMLDivElement>(null);
  useEffect(() => choices.current?.querySelector("button")?.focus(), []);

  return (
    <CardPage title="Add an account" lead="Where is the account?" below={below}>
      {failure && (
        <Alert tone="danger" title="The account could not be added" className="mb-4">
          {messages.describe(failure)}
        </Alert>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys of what is inside bubble up to here */}
      <div ref={choices} onKeyDown={moveByArrowKeys} className="-mx-3">
        <ul aria-label="Workspaces">
          {list.workspaces.map(({ id, name, host, added }) => (
            <li key={id}>
              <Place
                icon={<Server aria-hidden />}
                aside={added && <Badge>Added by you</Badge>}
                onClick={() => void attempt(addAccount(id))}
              >
                <span className="block truncate font-medium">{name}</span>
                {host !== name && <span className="block truncate text-xs text-muted">{host}</span>}
              </Place>
            </li>
          ))}
        </ul>
        {list.adding && (
          <div className="mt-2 border-t border-line pt-2">
            <Place icon={<Globe aria-hidden />} onClick={onOtherServer}>
              <span className="block font-medium">Another server…</span>
              <span className="block text-xs text-muted">By its address</span>
            </Place>
          </div>
        )}
      </div>
    </CardPage>
  );
}

function Place({
  icon,
  aside,
  onClick,
  children,
}: {
  icon: ReactNode;
  aside?: ReactNode;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Choice onClick={onClick}>
      <IconTile>{icon}</IconTile>
      <span className="min-w-0 flex-1 leading-snug">{children}</span>
      {aside}
    </Choice>
  );
}
