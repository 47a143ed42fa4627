"use client";

import { Button } from "@/components/ui/button";
import { LateSpinner } from "@/components/ui/spinner";
import { useElapsed } from "@/lib/clock";
import { useReloading } from "./reloading";

const LONG_MS = 8000;

/** Lies over the page until the plugin has loaded it anew for another account. */
export function ReloadingOverlay() {
  const text = useReloading();
  return text === null ? null : <Overlay text={text} />;
}

function Overlay({ text }: { text: string }) {
  const late = useElapsed(LONG_MS);
  return (
    <div
      role="status"
      className="fixed inset-0 z-60 flex animate-fade flex-col items-center justify-center gap-4 bg-ground/90"
    >
      <p className="flex items-center gap-2.5 text-muted">
        <LateSpinner />
        {text}
      </p>
      {late && (
        <Button look="secondary" size="sm" onClick={() => window.location.reload()}>
          Reload the window
        </Button>
      )}
    </div>
  );
}
