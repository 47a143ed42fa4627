"use client";

import {
  type ComponentProps,
  type ReactNode,
  type RefObject,
  useId,
  useRef,
  useState,
} from "react";

/** An open menu, as its button knows it. */
export type MenuState = {
  id: string;
  buttonId: string;
  button: RefObject<HTMLButtonElement | null>;
  /** Whether it was opened by the keyboard: its first item has the focus then. */
  isByKeyboard: boolean;
  close: () => void;
};

/**
 * A button that opens a menu. The menu itself, which `menu` gives while it is open, is loaded later
 * (`./menu`); the button has all that tells of it from the start.
 */
export function MenuButton({
  menu,
  ...rest
}: Omit<ComponentProps<"button">, "type" | "id" | "ref"> & {
  menu: (menu: MenuState) => ReactNode;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const [opened, setOpened] = useState<"keyboard" | "pointer" | null>(null);
  const id = useId();
  const buttonId = useId();
  const isOpen = opened !== null;
  return (
    <>
      <button
        {...rest}
        ref={button}
        type="button"
        id={buttonId}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        data-state={isOpen ? "open" : "closed"}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.ctrlKey) return;
          // A pointer that closes it gets the focus; the menu that it opens gets it otherwise.
          if (!isOpen) event.preventDefault();
          setOpened((before) => (before === null ? "pointer" : null));
        }}
        onKeyDown={(event) => {
          if (!["Enter", " ", "ArrowDown"].includes(event.key)) return;
          event.preventDefault();
          const closes = event.key !== "ArrowDown";
          setOpened((before) => (before !== null && closes ? null : "keyboard"));
        }}
      />
      {isOpen &&
        menu({
          id,
          buttonId,
          button,
          isByKeyboard: opened === "keyboard",
          close: () => setOpened(null),
        })}
    </>
  );
}
