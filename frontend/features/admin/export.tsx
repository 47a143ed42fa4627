"use client";

import { useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { type AuthFailure, auth } from "@/lib/auth";
import { desktop, type Exported } from "@/lib/desktop";
import { describe } from "@/lib/messages";

type Outcome = { exported: Exported } | { failure: AuthFailure };

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
    const done = desktop.exportPeople().then(
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
        {describe(outcome.failure)}
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
