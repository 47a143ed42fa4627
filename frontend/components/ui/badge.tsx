import type { ReactNode } from "react";
import { cx } from "./cx";

export function Badge({
  tone = "neutral",
  children,
}: {
  tone?: "neutral" | "accent" | "warning";
  children: ReactNode;
}) {
  return (
    <span
      className={cx(
        "inline-flex items-center gap-1 rounded-full border px-2 py-0.5 text-xs font-medium",
        tone === "neutral" && "border-line bg-sunken text-ink",
        tone === "accent" && "border-accent/25 bg-accent-soft text-accent-text",
        tone === "warning" && "border-warn-line bg-warn-soft text-warn-text",
      )}
    >
      {children}
    </span>
  );
}
