"use client";

import { useEffect, useRef } from "react";
import type { AccountList, FoundWorkspace } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { messages } from "@/lib/vestibule";
import { addAccount, addWorkspace } from "./actions";
import { useAttempt } from "./use-attempt";

/**
 * What was found at an address, and the confirmation. The host is shown as it is looked up, and nothing
 * that the server says of itself is, because it could claim any name.
 */
export function FoundServer({
  list,
  found,
  onBack,
}: {
  list: AccountList;
  found: FoundWorkspace;
  onBack: () => void;
}) {
  const { failure, attempt } = useAttempt();
  const known = list.workspaces.find(({ id }) => id === found.known);
  // The focus is on the host and not on a button: the name is to be read before it is confirmed.
  const host = useRef<HTMLHeadingElement>(null);
  useEffect(() => host.current?.focus(), []);

  const add = () => attempt(known ? addAccount(known.id) : addWorkspace(found.address));

  return (
    <div className="space-y-4">
      <h2
        ref={host}
        tabIndex={-1}
        className="rounded-lg border border-line bg-sunken px-3.5 py-3 font-mono text-sm font-medium tracking-normal break-all"
      >
        {found.host}
      </h2>
      {found.disguised && (
        <Alert tone="danger" title="This name has letters that look like others">
          It may imitate a name that you know. Above it is written as computers read it. Add the
          server only if its operator has confirmed this very name.
        </Alert>
      )}
      {found.fits ? <p>{found.finding}</p> : <Alert tone="warning">{found.finding}</Alert>}
      {known && <p>It is in this app already, as {known.name}.</p>}
      {failure && (
        <Alert tone="danger" title="The server could not be added">
          {messages.describe(failure)}
        </Alert>
      )}
      <div className="flex gap-2.5">
        <Button look="secondary" onClick={onBack}>
          Another address
        </Button>
        {(known || found.fits) && (
          <Button className="flex-1" onClick={() => void add()}>
            {known ? "Add an account there" : "Add this server"}
          </Button>
        )}
      </div>
    </div>
  );
}
