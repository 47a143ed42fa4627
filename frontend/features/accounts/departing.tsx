"use client";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { useElapsed } from "@/lib/clock";
import { useDeparture } from "./departure";

const LONG_MS = 8000;

/** Lies over the page while the window is on its way to another account. */
export function Departing() {
  const saying = useDeparture();
  return saying === null ? null : <Veil saying={saying} />;
}

function Veil({ saying }: { saying: string }) {
  const late = useElapsed(LONG_MS);
  return (
    <div
      role="status"
      className="fixed inset-0 z-60 flex animate-fade flex-col items-center justify-center gap-4 bg-ground/90 backdrop-blur-sm"
    >
      <p className="flex items-center gap-2.5 text-muted">
        <Spinner />
        {saying}
      </p>
      {late && (
        <Button look="secondary" size="sm" onClick={() => window.location.reload()}>
          Reload the window
        </Button>
      )}
    </div>
  );
}
