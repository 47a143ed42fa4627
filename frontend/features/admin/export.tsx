"use client";

import { useState } from "react";
import type { AuthError } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { auth, desktop, messages } from "@/lib/vestibule";

/** What the command `export_people` answers: where the file is, and how many rows it has. */
type Exported = { path: string; rows: number };
type Outcome = { exported: Exported } | { failure: AuthError };

/**
 * Exports the list of accounts. The app's command checks the roles, asks the server and writes the
 * file.
 */
export function Export() {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  async function exportAll() {
    setBusy(true);
    setOutcome(null);
    const done = desktop.invoke<Exported>("export_people").then(
      (exported) => ({ exported }),
      (cause) => ({ failure: auth.failure(cause) }),
    );
    setOutcome(await done);
    setBusy(false);
  }

  return (
    <Card
      title="Export"
      description="A file for spreadsheets, saved among your downloads."
      action={
        <Button look="secondary" size="sm" busy={busy} onClick={() => void exportAll()}>
          {busy ? "Exporting…" : "Export as CSV"}
        </Button>
      }
    >
      {outcome && <What outcome={outcome} />}
    </Card>
  );
}

function What({ outcome }: { outcome: Outcome }) {
  if ("failure" in outcome) {
    return (
      <Alert tone="danger" title="Nothing was exported">
        {messages.describe(outcome.failure)}
      </Alert>
    );
  }
  const { rows, path } = outcome.exported;
  return (
    <Alert tone="success" title={rows === 1 ? "One person exported" : `${rows} people exported`}>
      <span className="wrap-anywhere">{path}</span>
    </Alert>
  );
}
