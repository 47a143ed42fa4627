import type { ReactNode } from "react";
import { cx } from "./cx";

/** A shortcut beside what it does. Screen readers skip it: it is no part of the name. */
export function Kbd({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <kbd aria-hidden className={cx("ml-auto pl-6 font-sans text-xs text-muted", className)}>
      {children}
    </kbd>
  );
}
