"use client";

import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { ownsEscape } from "./dialog";

/**
 * A screen in front of the page, which stays mounted behind it as it was. Escape closes it, or belongs to
 * the field in which something is typed. A link in it leads the page elsewhere, so it closes too.
 */
export function FrontScreen({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Content
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => ownsEscape(event.target) && event.preventDefault()}
          onClick={({ target }) => target instanceof Element && target.closest("a") && onClose()}
          className="fixed inset-0 z-50 animate-fade overflow-y-auto bg-ground"
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
