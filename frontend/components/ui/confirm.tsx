"use client";

import { AlertDialog } from "radix-ui";
import type { ReactNode } from "react";
import { Alert } from "./alert";
import { Button } from "./button";

/**
 * Asks before an action that cannot be undone. `trigger` is the button that opens the dialog. It
 * gets the focus back when the dialog closes.
 */
export function Confirm({
  trigger,
  open,
  onOpenChange,
  title,
  description,
  confirm,
  busy = false,
  error,
  onConfirm,
}: {
  trigger: ReactNode;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description: ReactNode;
  confirm: string;
  busy?: boolean;
  /** Why the action failed. The dialog stays open then. */
  error?: string | null;
  onConfirm: () => void;
}) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 animate-fade bg-black/45" />
        <AlertDialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(27rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 animate-fade rounded-xl border border-line bg-raised p-6 shadow-high">
          <AlertDialog.Title className="text-lg font-semibold tracking-tight">
            {title}
          </AlertDialog.Title>
          <AlertDialog.Description className="mt-1.5 text-sm text-muted">
            {description}
          </AlertDialog.Description>
          {error && (
            <Alert tone="danger" className="mt-4">
              {error}
            </Alert>
          )}
          <div className="mt-6 flex justify-end gap-2.5">
            <AlertDialog.Cancel asChild>
              <Button look="secondary">Cancel</Button>
            </AlertDialog.Cancel>
            <Button look="danger" busy={busy} onClick={onConfirm}>
              {confirm}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
