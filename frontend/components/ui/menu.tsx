"use client";

import { DropdownMenu } from "radix-ui";
import { type ComponentProps, useRef } from "react";
import { cx } from "./cx";

export const Menu = DropdownMenu.Root;
export const MenuTrigger = DropdownMenu.Trigger;

export function MenuContent({ className, ...rest }: ComponentProps<typeof DropdownMenu.Content>) {
  return (
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        align="end"
        sideOffset={6}
        collisionPadding={8}
        {...rest}
        className={cx(
          "z-50 max-w-80 min-w-60 animate-appear rounded-xl border border-line bg-raised p-1.5 shadow-high",
          // In a low window a long menu scrolls.
          "max-h-(--radix-dropdown-menu-content-available-height) overflow-y-auto",
          className,
        )}
      />
    </DropdownMenu.Portal>
  );
}

const ITEM = cx(
  "flex items-center gap-2.5 rounded-lg px-2.5 py-2 text-sm outline-none select-none",
  "data-highlighted:bg-accent-soft data-highlighted:text-accent-text",
);

export function MenuItem({ className, ...rest }: ComponentProps<typeof DropdownMenu.Item>) {
  return (
    <DropdownMenu.Item
      {...rest}
      className={cx(
        ITEM,
        "[&>svg]:size-4 [&>svg]:text-muted data-highlighted:[&>svg]:text-accent-text",
        className,
      )}
    />
  );
}

/**
 * For a menu from which an item leads to a form or a dialog that takes the focus: a closing menu would
 * give it back to its button. Such an item calls `leaveFocus`, and the content of the menu gets
 * `onCloseAutoFocus`.
 */
export function useMenuFocus() {
  const isLeft = useRef(false);
  return {
    leaveFocus: () => {
      isLeft.current = true;
    },
    onCloseAutoFocus: (event: Event) => {
      if (isLeft.current) event.preventDefault();
      isLeft.current = false;
    },
  };
}

/** Items of which one is marked as the current one. */
export const MenuRadioGroup = DropdownMenu.RadioGroup;

export function MenuRadioItem({
  className,
  ...rest
}: ComponentProps<typeof DropdownMenu.RadioItem>) {
  return <DropdownMenu.RadioItem {...rest} className={cx(ITEM, className)} />;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1.5 h-px bg-line" />;
}

export function MenuLabel({ className, ...rest }: ComponentProps<typeof DropdownMenu.Label>) {
  return <DropdownMenu.Label {...rest} className={cx("px-2.5 py-2", className)} />;
}
