import type { ReactNode } from "react";
import { Alert } from "./alert";
import { Button } from "./button";

/** Shown for a part of a page that could not be loaded, with a button to try again. */
export function Failed({ children, onRetry }: { children: ReactNode; onRetry: () => void }) {
  return (
    <Alert
      tone="warning"
      role="alert"
      action={
        <Button look="secondary" size="sm" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      {children}
    </Alert>
  );
}
