"use client";

import { useEffect, useState } from "react";
import type { AppInfo, SessionState } from "vestibule";
import { Badge } from "@/components/ui/badge";
import { Card, Fact, Facts } from "@/components/ui/card";
import { capital, moment } from "@/lib/format";
import { desktop } from "@/lib/vestibule";
import { Help } from "./help";
import { Managed } from "./managed";

type SignedIn = Extract<SessionState, { status: "signed_in" }>;

/** Facts about this session and this app, for the user and for the people who help them. */
export function About({ state }: { state: SignedIn }) {
  const [info, setInfo] = useState<AppInfo | null>(null);
  useEffect(() => {
    let current = true;
    desktop.appInfo().then(
      (held) => current && setInfo(held),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);

  return (
    <>
      <Card title="This session">
        <Facts>
          <Fact name="Good until">
            {state.session.expiresAt
              ? capital(moment(state.session.expiresAt))
              : "The server decides"}
          </Fact>
          <Fact name="Kept in">{state.remembered ? "The system's keyring" : "Memory only"}</Fact>
          <Fact name="Reference">
            <span className="font-mono text-xs" title={state.session.id}>
              {state.session.id.slice(0, 8)}
            </span>
          </Fact>
        </Facts>
      </Card>
      {info && <Help reports={info.reports} />}
      {info && (
        <Card title="About">
          <Facts>
            <Fact name={info.product}>
              {info.version}
              {info.development && " (development)"}
            </Fact>
            <Fact name="Server">
              <span className="break-all">{info.origin}</span>{" "}
              {info.policy?.fixes.includes("backend") && <Badge>Set by your administrator</Badge>}
            </Fact>
            <Fact name="Workspace">{info.workspace}</Fact>
          </Facts>
        </Card>
      )}
      {info?.policy && <Managed policy={info.policy} />}
    </>
  );
}
