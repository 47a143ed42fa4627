"use client";

import type { ReactNode } from "react";
import { type Part, usePart } from "@/lib/part";
import { Alert } from "./alert";
import { Button } from "./button";

/**
 * Shows what is no part of a page's first load. Nothing is shown until it is there, and where it cannot
 * be loaded, that is said over the page.
 */
export function OnDemand<T>({
  part,
  children,
}: {
  part: Part<T>;
  children: (loaded: T) => ReactNode;
}) {
  const state = usePart(part);
  switch (state.kind) {
    case "absent":
      return null;
    case "failed":
      return <NotLoaded retry={() => void part.load()} />;
    case "loaded":
      return children(state.value);
  }
}

/** Said where a part of the app cannot be loaded. What is on the page stays as it is. */
export function NotLoaded({ retry }: { retry: () => void }) {
  return (
    <div className="fixed inset-x-4 bottom-4 z-60 mx-auto max-w-xl animate-fade rounded-lg bg-raised shadow-high">
      <Alert
        tone="danger"
        title="A part of the app could not be loaded"
        action={
          <Button look="secondary" size="sm" onClick={retry}>
            Try again
          </Button>
        }
      >
        Your session is not affected. If this stays, quit the app and start it again.
      </Alert>
    </div>
  );
}
