import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cx } from "./cx";
import { LateSpinner } from "./spinner";

type Look = "primary" | "secondary" | "quiet" | "danger";
type Size = "md" | "sm";

const LOOKS: Record<Look, string> = {
  primary:
    "bg-accent text-accent-ink hover:bg-accent-hover disabled:hover:bg-accent border-transparent",
  secondary: "bg-surface text-ink border-line-strong/50 hover:bg-sunken disabled:hover:bg-surface",
  quiet: "bg-transparent text-ink border-transparent hover:bg-sunken",
  danger:
    "bg-danger text-danger-ink hover:bg-danger-hover disabled:hover:bg-danger border-transparent",
};

const SIZES: Record<Size, string> = {
  md: "min-h-10 px-4 text-[0.9375rem]",
  sm: "min-h-8 px-3 text-sm",
};

export type ButtonProps = ComponentProps<"button"> & {
  look?: Look;
  size?: Size;
  /**
   * Shows a spinner if it lasts, and ignores clicks. The button stays focusable, so that the focus is not lost.
   */
  busy?: boolean;
  /** Lets a label that is too long for the window take several lines. */
  wraps?: boolean;
  asChild?: boolean;
};

export function Button({
  look = "primary",
  size = "md",
  busy = false,
  wraps = false,
  asChild = false,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const classes = cx(
    "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg border font-medium",
    "transition-colors duration-150 select-none",
    wraps ? "py-2 wrap-anywhere" : "whitespace-nowrap",
    "disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:opacity-75",
    LOOKS[look],
    SIZES[size],
    className,
  );
  if (asChild) {
    return (
      <Slot.Root className={classes} onClick={onClick as never} {...(rest as object)}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      {...rest}
      className={classes}
      aria-disabled={busy || rest["aria-disabled"] || undefined}
      onClick={(event) => {
        if (busy) return event.preventDefault();
        onClick?.(event);
      }}
    >
      {busy && <LateSpinner />}
      {children}
    </button>
  );
}
