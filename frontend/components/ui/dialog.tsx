"use client";

import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";

/** Whether Escape belongs to what is typed there. */
export function ownsEscape(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.value !== "";
}

/**
 * A dialog high in the window, for something that is typed and chosen quickly. Escape closes it, or
 * belongs to the field in which something is typed.
 */
export function Dialog({
  open,
  onOpenChange,
  title,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-black/45" />
        <Radix.Content
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => ownsEscape(event.target) && event.preventDefault()}
          className="fixed top-[10vh] left-1/2 z-50 w-[min(27rem,calc(100vw-2rem))] -translate-x-1/2 animate-fade rounded-xl border border-line bg-raised p-3 shadow-high"
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
