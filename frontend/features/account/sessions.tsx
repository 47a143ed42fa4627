"use client";

import { Laptop } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import type { AuthError } from "vestibule";
import { useFeatures } from "vestibule/react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { Failed } from "@/components/ui/failed";
import { IconTile } from "@/components/ui/icon-tile";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useConfirmation } from "@/lib/confirmation";
import { useResource } from "@/lib/resource";
import { auth, messages } from "@/lib/vestibule";
import { deviceName, lastSeen, type SessionEntry, sessionsSchema } from "./session-list";

/** The list of the account's sessions, with buttons to end one or all of them. */
export function Sessions() {
  const { sessions, logoutAll } = useFeatures();
  const { resource, reload, setData } = useResource(sessions ? "/sessions" : null, sessionsSchema);
  const list = useRef<HTMLUListElement>(null);
  const [ended, setEnded] = useState(0);
  // The focused button is gone with its session, so the list gets the focus.
  useEffect(() => {
    if (ended > 0) list.current?.focus();
  }, [ended]);
  if (!sessions && !logoutAll) return null;
  return (
    <Card
      title="Where you are signed in"
      description={sessions ? "End any session you do not recognise." : undefined}
      action={logoutAll && <Everywhere />}
    >
      {!sessions && <NoList />}
      {sessions && resource.status === "loading" && (
        <Loading label="Loading sessions">
          <div className="space-y-3">
            <Skeleton className="h-12" />
            <Skeleton className="h-12" />
          </div>
        </Loading>
      )}
      {resource.status === "failed" && (
        <Failed onRetry={reload}>{messages.describe(resource.failure)}</Failed>
      )}
      {resource.status === "missing" && <NoList />}
      {resource.status === "ready" && (
        <ul ref={list} tabIndex={-1} aria-label="Sessions" className="divide-y divide-line">
          {resource.data.map((entry) => (
            <Entry
              key={entry.id}
              entry={entry}
              onEnded={() => {
                setData(resource.data.filter(({ id }) => id !== entry.id));
                setEnded((n) => n + 1);
              }}
            />
          ))}
        </ul>
      )}
    </Card>
  );
}

function NoList() {
  return <p className="text-sm text-muted">This server does not list sessions.</p>;
}

function Entry({ entry, onEnded }: { entry: SessionEntry; onEnded: () => void }) {
  const name = deviceName(entry.device);
  const ending = useConfirmation(async () => {
    const failed = await ask(`/sessions/${encodeURIComponent(entry.id)}`, "DELETE");
    // A 404 means either that the session is gone or that the server has no such call. The list
    // of sessions shows which it is.
    const stands = failed?.status === 404 ? await isListed(entry.id) : failed !== null;
    if (stands) return failed;
    toast("That session has ended.");
    onEnded();
    return null;
  });
  return (
    <li className="flex items-center gap-3.5 py-3 first:pt-0 last:pb-0">
      <IconTile>
        <Laptop aria-hidden />
      </IconTile>
      <div className="min-w-0 flex-1">
        <p className="text-sm font-medium break-words">{name}</p>
        <p className="text-sm text-muted">{lastSeen(entry)}</p>
      </div>
      {entry.current ? (
        <Badge tone="accent">This session</Badge>
      ) : (
        <Confirm
          {...ending}
          trigger={
            <Button look="secondary" size="sm" aria-label={`End the session on ${name}`}>
              End
            </Button>
          }
          title="End this session?"
          description={`${name} will have to sign in again.`}
          confirm="End session"
        />
      )}
    </li>
  );
}

function Everywhere() {
  const leaving = useConfirmation(async () => {
    const failed = await ask("/logout-all", "POST");
    // The guard redirects when the new state arrives.
    if (!failed) await auth.logout();
    return failed;
  });
  return (
    <Confirm
      {...leaving}
      trigger={
        <Button look="secondary" size="sm">
          Sign out everywhere
        </Button>
      }
      title="Sign out everywhere?"
      description="Every device, this one included, will have to sign in again."
      confirm="Sign out everywhere"
    />
  );
}

/** Sends a request whose answer has no body to read. Returns null where it succeeded. */
async function ask(path: string, method: string): Promise<AuthError | null> {
  try {
    const response = await auth.fetch(path, { method });
    return response.ok ? null : auth.refusal(response);
  } catch (cause) {
    return auth.failure(cause);
  }
}

/** Whether the server still lists a session. True where the list cannot be read. */
async function isListed(id: string): Promise<boolean> {
  try {
    const response = await auth.fetch("/sessions");
    const list = sessionsSchema.safeParse(await response.json());
    return !response.ok || !list.success || list.data.some((entry) => entry.id === id);
  } catch {
    return true;
  }
}
