"use client";

import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, useState } from "react";
import { cx } from "./cx";

const CONTROL = cx(
  "h-10 w-full rounded-lg border border-line-strong/70 bg-surface px-3 text-[0.9375rem]",
  "placeholder:text-muted/80 transition-colors hover:border-line-strong",
  "focus-visible:border-accent focus-visible:outline-offset-0",
  "aria-invalid:border-danger disabled:opacity-60",
);

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={cx(CONTROL, className)} />;
}

/** A password field with a button that shows the password. */
export function PasswordInput({ className, ...rest }: ComponentProps<"input">) {
  const [shown, setShown] = useState(false);
  return (
    <div className="relative">
      <input
        spellCheck={false}
        autoCapitalize="none"
        {...rest}
        type={shown ? "text" : "password"}
        className={cx(CONTROL, "pr-11", className)}
      />
      <button
        type="button"
        aria-label={shown ? "Hide password" : "Show password"}
        aria-controls={rest.id}
        onClick={() => setShown(!shown)}
        className="absolute inset-y-1 right-1 flex w-9 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
      >
        {shown ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
      </button>
    </div>
  );
}
