"use client";

import type { ReactNode } from "react";
import type { PolicyInfo } from "vestibule";
import { Card, Fact, Facts } from "@/components/ui/card";

/** The settings that the administrator of this computer has made, by their keys. */
export function Managed({ policy }: { policy: PolicyInfo }) {
  const network = policy.network.map((key) => `network.${key}`);
  return (
    <Card
      title="Managed settings"
      description="The administrator of this computer has set some of this app's settings."
    >
      <Facts>
        <Keys name="Cannot be changed">{policy.fixes}</Keys>
        <Keys name="Set">{[...policy.sets, ...network]}</Keys>
        <Keys name="Without effect">
          {policy.overrides.map(({ key, place }) => `${key} in ${place}`)}
        </Keys>
        <Fact name="Policy">
          <Code>{policy.place}</Code>
        </Fact>
      </Facts>
    </Card>
  );
}

function Keys({ name, children }: { name: string; children: string[] }) {
  if (children.length === 0) return null;
  return (
    <Fact name={name}>
      <ul>
        {children.map((key) => (
          <li key={key}>
            <Code>{key}</Code>
          </li>
        ))}
      </ul>
    </Fact>
  );
}

function Code({ children }: { children: ReactNode }) {
  return <code className="break-all font-mono text-xs">{children}</code>;
}
