"use client";

import Link from "next/link";
import { isBehindKeyring, type SessionState } from "vestibule";
import { May, useAuthState } from "vestibule/react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, Fact, Facts } from "@/components/ui/card";
import { Page, PageHeading, PageTitle } from "@/components/ui/page";
import { capital, moment, since } from "@/lib/format";
import { usePurchases } from "@/lib/purchases";
import { routes } from "@/lib/routes";

export type SignedIn = Extract<SessionState, { status: "signed_in" }>;

export function DashboardScreen() {
  const state = useAuthState();
  if (state.status !== "signed_in") return null;
  const { user } = state;
  return (
    <Page>
      <PageTitle>Dashboard</PageTitle>
      <PageHeading>{greeting(user.name)}</PageHeading>
      <p className="mt-1 text-muted">Your session, plans and roles at a glance.</p>
      <div className="mt-7 grid grid-cols-1 items-start gap-5 md:grid-cols-2">
        <div className="grid grid-cols-1 gap-5">
          <SessionCard state={state} />
          <May do="people.see">
            <PeopleCard />
          </May>
        </div>
        <div className="grid grid-cols-1 gap-5">
          <PlansCard />
          <RolesCard roles={user.roles} stale={state.freshness.kind === "stale"} />
        </div>
      </div>
    </Page>
  );
}

function greeting(name: string): string {
  const hour = new Date().getHours();
  const time = hour < 5 ? "evening" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
  return `Good ${time}, ${name.split(/\s+/)[0]}`;
}

function SessionCard({ state }: { state: SignedIn }) {
  const { session, remembered } = state;
  return (
    <Card title="Your session" action={<Connection state={state} />}>
      <Facts>
        <Fact name="Signed in as">{state.user.email}</Fact>
        <Fact name="Server">{heard(state)}</Fact>
        <Fact name="After a restart">{remembered ? "Still signed in" : "Sign in again"}</Fact>
        <Fact name="Good until">
          {session.expiresAt ? capital(moment(session.expiresAt)) : "The server decides"}
        </Fact>
      </Facts>
    </Card>
  );
}

function heard(state: SignedIn): string {
  if (state.freshness.kind === "fresh") return "Confirmed";
  if (isBehindKeyring(state)) return "Will be asked when your keyring is open";
  return `No answer since ${since(state.freshness.since)}`;
}

function Connection({ state }: { state: SignedIn }) {
  if (state.freshness.kind === "fresh") return <Badge tone="accent">Online</Badge>;
  return <Badge tone="warning">{isBehindKeyring(state) ? "Waiting" : "Offline"}</Badge>;
}

function PlansCard() {
  const purchases = usePurchases();
  return (
    <Card
      title="Plans"
      description={
        purchases.length > 0
          ? "Bought since the app was started."
          : "None bought since the app was started."
      }
      action={
        <Button asChild look="secondary" size="sm">
          <Link href={routes.payment}>See all plans</Link>
        </Button>
      }
    >
      {purchases.length > 0 && (
        <Facts>
          {purchases.map((purchase) => (
            <Fact key={purchase.id} name={purchase.planName}>
              {capital(moment(purchase.purchasedAt))}
              {purchase.note && (
                <span className="block font-normal text-muted">{purchase.note}</span>
              )}
            </Fact>
          ))}
        </Facts>
      )}
    </Card>
  );
}

function PeopleCard() {
  return (
    <Card
      title="People"
      description="Everyone with an account, for administrators."
      action={
        <Button asChild look="secondary" size="sm">
          <Link href={routes.admin}>See everyone</Link>
        </Button>
      }
    />
  );
}

function RolesCard({ roles, stale }: { roles: string[]; stale: boolean }) {
  return (
    <Card
      title="Your roles"
      description={
        stale
          ? "As the server last said. They decide what you may see and do."
          : "They decide what you may see and do."
      }
    >
      {roles.length === 0 ? (
        <p className="text-sm text-muted">The server gives you no roles.</p>
      ) : (
        <ul className="flex flex-wrap gap-2">
          {roles.map((role) => (
            <li key={role}>
              <Badge>{role}</Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
