"use client";

import { Laptop } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { AuthError, ListedSession, SessionList } from "vestibule";
import { useFeatures } from "vestibule/react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { Failed } from "@/components/ui/failed";
import { IconTile } from "@/components/ui/icon-tile";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { useConfirmation } from "@/lib/confirmation";
import { type Resource, useRead } from "@/lib/resource";
import { auth, messages } from "@/lib/vestibule";
import { deviceName, lastSeen, leftOutText } from "./session-list";

/** The list of the account's sessions, with buttons to end one, the others or all of them. */
export function Sessions() {
  const { sessions, endSession, endOtherSessions, logoutAll } = useFeatures();
  const { resource, reload, refresh } = useRead(sessions ? "sessions" : null, readSessions);
  const list = useRef<HTMLUListElement>(null);
  const [ended, setEnded] = useState(0);
  // The focused button is gone with its session, so the list gets the focus.
  useEffect(() => {
    if (ended > 0) list.current?.focus();
  }, [ended]);
  if (!sessions && !endOtherSessions && !logoutAll) return null;
  const onEnded = () => {
    refresh();
    setEnded((n) => n + 1);
  };
  return (
    <Card
      title="Where you are signed in"
      description={endSession ? "End any session you do not recognise." : undefined}
      action={
        <div className="flex flex-wrap justify-end gap-2">
          {endOtherSessions && <Others onEnded={onEnded} />}
          {logoutAll && <Everywhere />}
        </div>
      }
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
        <>
          {resource.data.sessions.length > 0 ? (
            <ul ref={list} tabIndex={-1} aria-label="Sessions" className="divide-y divide-line">
              {resource.data.sessions.map((one) => (
                <Entry key={one.id} session={one} mayEnd={endSession} onEnded={onEnded} />
              ))}
            </ul>
          ) : (
            <p className="text-sm text-muted">The server lists no session that can be shown.</p>
          )}
          {resource.data.leftOut > 0 && (
            <p className="mt-3 text-sm text-muted">{leftOutText(resource.data.leftOut)}</p>
          )}
        </>
      )}
    </Card>
  );
}

async function readSessions(): Promise<Resource<SessionList>> {
  const { data, error } = await auth.listSessions();
  if (!error) return { status: "ready", data };
  return error.code === "unsupported"
    ? { status: "missing" }
    : { status: "failed", failure: error };
}

function NoList() {
  return <p className="text-sm text-muted">This server does not list sessions.</p>;
}

function Entry({
  session,
  mayEnd,
  onEnded,
}: {
  session: ListedSession;
  mayEnd: boolean;
  onEnded: () => void;
}) {
  const name = deviceName(session);
  const ending = useConfirmation(async () => {
    const { error } = await auth.endSession(session.id);
    if (error) return error;
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
        <p className="text-sm text-muted">
          {[lastSeen(session), session.address].filter(Boolean).join(" · ")}
        </p>
      </div>
      {session.current && <Badge tone="accent">This session</Badge>}
      {mayEnd && !session.current && (
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

function Others({ onEnded }: { onEnded: () => void }) {
  const ending = useConfirmation(async () => {
    const { error } = await auth.endOtherSessions();
    if (error) return error;
    toast("All other sessions have ended.");
    onEnded();
    return null;
  });
  return (
    <Confirm
      {...ending}
      trigger={
        <Button look="secondary" size="sm">
          End all others
        </Button>
      }
      title="End all other sessions?"
      description="Every other device will have to sign in again. You stay signed in here."
      confirm="End all others"
    />
  );
}

function Everywhere() {
  const leaving = useConfirmation(async () => {
    const failed = await logoutEverywhere();
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

/** Makes the server end all sessions. Returns null where it has. */
async function logoutEverywhere(): Promise<AuthError | null> {
  try {
    const response = await auth.fetch("/logout-all", { method: "POST" });
    return response.ok ? null : auth.refusal(response);
  } catch (cause) {
    return auth.failure(cause);
  }
}
