"use client";

import { OTPInput, REGEXP_ONLY_DIGITS, type SlotProps } from "input-otp";
import type { Ref } from "react";
import { cx } from "./cx";

/**
 * A field for six digits. It is one text field for keyboards and screen readers, drawn as six
 * boxes.
 */
export function CodeInput({
  ref,
  label,
  value,
  disabled,
  invalid,
  describedBy,
  onChange,
  onComplete,
}: {
  ref?: Ref<HTMLInputElement>;
  label: string;
  value: string;
  disabled?: boolean;
  invalid?: boolean;
  describedBy?: string;
  onChange: (value: string) => void;
  onComplete: (value: string) => void;
}) {
  return (
    <OTPInput
      ref={ref}
      maxLength={6}
      aria-label={label}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      autoComplete="one-time-code"
      inputMode="numeric"
      pattern={REGEXP_ONLY_DIGITS}
      pasteTransformer={(text) => text.replace(/\D/g, "")}
      pushPasswordManagerStrategy="none"
      value={value}
      disabled={disabled}
      onChange={onChange}
      onComplete={onComplete}
      containerClassName="flex justify-between gap-2"
      render={({ slots }) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: six boxes that never change their order
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
