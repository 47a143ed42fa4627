import type { ReactNode } from "react";

/** The icon of a row, on a square of its own. */
export function IconTile({ children }: { children: ReactNode }) {
  return (
    <span className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-sunken text-muted [&>svg]:size-4">
      {children}
    </span>
  );
}
