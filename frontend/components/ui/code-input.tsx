"use client";

import { OTPInput, type SlotProps } from "input-otp";
import type { Ref } from "react";
import { cx } from "./cx";

/**
 * A field for a code of a known length. It is one text field for keyboards and screen readers, drawn
 * as a box for each character. What is typed or pasted is `read` first: it may hold other things.
 */
export function CodeInput({
  ref,
  label,
  length,
  letters,
  value,
  disabled,
  invalid,
  describedBy,
  read,
  onChange,
  onComplete,
}: {
  ref?: Ref<HTMLInputElement>;
  label: string;
  length: number;
  letters: boolean;
  value: string;
  disabled?: boolean;
  invalid?: boolean;
  describedBy?: string;
  read: (text: string) => string;
  onChange: (value: string) => void;
  onComplete: (value: string) => void;
}) {
  return (
    <OTPInput
      ref={ref}
      maxLength={length}
      aria-label={label}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      autoComplete="one-time-code"
      inputMode={letters ? "text" : "numeric"}
      autoCapitalize="none"
      spellCheck={false}
      pasteTransformer={read}
      pushPasswordManagerStrategy="none"
      value={value}
      disabled={disabled}
      onChange={(text) => {
        // A paste that was refused changes nothing.
        if (text !== value) onChange(read(text));
      }}
      onComplete={onComplete}
      containerClassName="flex justify-between gap-2"
      render={({ slots }) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: boxes that never change their order
        slots.map((slot, place) => <Digit key={place} slot={slot} invalid={invalid} />)
      }
    />
  );
}

function Digit({ slot, invalid }: { slot: SlotProps; invalid?: boolean }) {
  return (
    <div
      aria-hidden
      className={cx(
        "flex h-13 flex-1 items-center justify-center rounded-lg border bg-surface text-xl font-semibold tabular-nums",
        slot.isActive
          ? "border-accent outline-2 outline-accent"
          : invalid
            ? "border-danger"
            : "border-line-strong/70",
      )}
    >
      {slot.char}
      {slot.hasFakeCaret && <span className="h-6 w-px animate-pulse bg-ink" />}
    </div>
  );
}
