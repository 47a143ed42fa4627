"use client";

import { Toaster as Sonner } from "sonner";

export { toast } from "sonner";

/** Shows messages in a corner of the window. */
export function Toasts() {
  return (
    <Sonner
      position="bottom-right"
      theme="system"
      toastOptions={{
        style: {
          background: "var(--raised)",
          color: "var(--ink)",
          border: "1px solid var(--line)",
          boxShadow: "var(--shadow-high)",
          borderRadius: "0.75rem",
          fontFamily: "var(--font-sans)",
        },
        actionButtonStyle: {
          background: "var(--accent)",
          color: "var(--accent-ink)",
          borderRadius: "0.5rem",
          height: "1.75rem",
          paddingInline: "0.625rem",
        },
      }}
    />
  );
}
