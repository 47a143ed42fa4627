"use client";

import type { User } from "vestibule";
import { useAuthState } from "vestibule/react";
import { Avatar } from "@/components/ui/avatar";
import { Badge } from "@/components/ui/badge";
import { Card, Fact, Facts } from "@/components/ui/card";
import { Page, PageHeading, PageTitle } from "@/components/ui/page";
import { About } from "./about";
import { Appearance } from "./appearance";
import { Connection } from "./connection";
import { Sessions } from "./sessions";

export function AccountScreen() {
  const state = useAuthState();
  if (state.status !== "signed_in") return null;
  return (
    <Page>
      <PageTitle>Account</PageTitle>
      <PageHeading>Account</PageHeading>
      <div className="mt-6 grid grid-cols-1 items-start gap-5 md:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid grid-cols-1 gap-5">
          <Profile user={state.user} />
          <Sessions />
          <Connection />
        </div>
        <div className="grid grid-cols-1 gap-5">
          <Appearance />
          <About state={state} />
        </div>
      </div>
    </Page>
  );
}

function Profile({ user }: { user: User }) {
  return (
    <Card title="Profile">
      <div className="mb-4 flex items-center gap-3.5">
        <Avatar name={user.name} image={user.image} className="size-12! text-base!" />
        <div className="min-w-0">
          <p className="truncate font-medium">{user.name}</p>
          <p className="truncate text-sm text-muted">{user.email}</p>
        </div>
      </div>
      <Facts>
        <Fact name="E-mail">
          {user.emailVerified ? <Badge tone="accent">Verified</Badge> : <Badge>Not verified</Badge>}
        </Fact>
        <Fact name="Roles">
          {user.roles.length === 0 ? (
            "None"
          ) : (
            <span className="flex flex-wrap gap-1.5">
              {user.roles.map((role) => (
                <Badge key={role}>{role}</Badge>
              ))}
            </span>
          )}
        </Fact>
      </Facts>
    </Card>
  );
}
