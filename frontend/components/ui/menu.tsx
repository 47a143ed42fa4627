"use client";

import { DropdownMenu } from "radix-ui";
import {
  type ComponentProps,
  type ReactNode,
  type Ref,
  type RefObject,
  useImperativeHandle,
  useRef,
} from "react";
import { cx } from "./cx";
import type { MenuState } from "./menu-button";

/** The button, which stands elsewhere in the page. The menu is placed by it. */
function Anchored({ to, ref }: { to: RefObject<HTMLElement | null>; ref?: Ref<HTMLElement> }) {
  useImperativeHandle(ref, () => to.current as HTMLElement, [to]);
  return null;
}

/** The menu of a `MenuButton`, while it is open. */
export function Menu({
  menu: { id, buttonId, button, isByKeyboard, close },
  leavesFocus = () => false,
  className,
  children,
}: {
  menu: MenuState;
  /** Whether what was chosen has taken the focus elsewhere. Else the button gets it back. */
  leavesFocus?: () => boolean;
  className?: string;
  children: ReactNode;
}) {
  const content = useRef<HTMLDivElement>(null);
  const isLeft = useRef(false);
  // Radix does not list this property for menus, and hands it on to what moves the focus. It puts the
  // focus on the first item itself where it has seen the key that opens the menu, for which it may have
  // been loaded too late.
  const focus = {
    onOpenAutoFocus: (event: Event) => {
      if (!isByKeyboard) return;
      event.preventDefault();
      content.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    },
  };
  return (
    <DropdownMenu.Root open onOpenChange={(open) => !open && close()} modal={false}>
      <DropdownMenu.Trigger asChild>
        <Anchored to={button} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          ref={content}
          id={id}
          aria-labelledby={buttonId}
          align="end"
          sideOffset={6}
          collisionPadding={8}
          {...focus}
          onInteractOutside={() => {
            isLeft.current = true;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (!isLeft.current && !leavesFocus()) button.current?.focus();
          }}
          className={cx(
            "z-50 max-w-80 min-w-60 animate-appear rounded-xl border border-line bg-raised p-1.5 shadow-high",
            // In a low window a long menu scrolls.
            "max-h-(--radix-dropdown-menu-content-available-height) overflow-y-auto",
            className,
          )}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
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
 * give it back to its button. Such an item calls `leaveFocus`.
 */
export function useLeaving() {
  const isLeft = useRef(false);
  return {
    leaveFocus: () => {
      isLeft.current = true;
    },
    leavesFocus: () => isLeft.current,
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
