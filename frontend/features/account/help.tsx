"use client";

import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { toast } from "@/components/ui/toast";
import { auth, desktop, messages } from "@/lib/vestibule";

const failed = (cause: unknown) => toast.error(messages.describe(auth.failure(cause)));

/** Help for when something went wrong. `reports` is null where this app cannot report failures. */
export function Help({ reports }: { reports: boolean | null }) {
  return (
    <Card
      title="Help"
      description="The app keeps a log of what it does, on this computer only and without passwords."
    >
      <Button look="secondary" size="sm" onClick={() => void desktop.openLogFolder().catch(failed)}>
        <FolderOpen aria-hidden className="size-4" />
        Open log folder
      </Button>
      {reports !== null && <Reports initial={reports} />}
    </Card>
  );
}

type Choice = "off" | "on";

function Reports({ initial }: { initial: boolean }) {
  const [choice, setChoice] = useState<Choice>(initial ? "on" : "off");

  async function choose(next: Choice) {
    const before = choice;
    setChoice(next);
    try {
      await desktop.setReports(next === "on");
    } catch (cause) {
      setChoice(before);
      failed(cause);
    }
  }

  return (
    <div className="mt-4 flex items-center justify-between gap-3">
      <p className="text-sm text-muted">Report failures to the makers of this app</p>
      <Segmented<Choice>
        label="Report failures"
        value={choice}
        onChange={(next) => void choose(next)}
        options={[
          { value: "off", label: "Off" },
          { value: "on", label: "On" },
        ]}
      />
    </div>
  );
}
