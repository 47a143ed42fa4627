"use client";

import { May } from "vestibule/react";
import { Page, PageHeading, PageTitle } from "@/components/ui/page";
import { Export } from "./export";
import { People } from "./people";

/** The list of all accounts, for administrators. The route is guarded. */
export function PeopleScreen() {
  return (
    <Page>
      <PageTitle>People</PageTitle>
      <PageHeading>People</PageHeading>
      <p className="mt-1 text-muted">Everyone with an account on this server.</p>
      <div className="mt-7 grid grid-cols-1 gap-5">
        <May do="people.export">
          <Export />
        </May>
        <People />
      </div>
    </Page>
  );
}
