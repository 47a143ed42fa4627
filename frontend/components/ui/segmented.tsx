"use client";

import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";

/** Radio buttons that are drawn side by side as one control. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T | undefined;
  options: { value: T; label: string; icon?: ReactNode }[];
  onChange: (value: T) => void;
}) {
  return (
    <RadioGroup.Root
      aria-label={label}
      orientation="horizontal"
      value={value ?? null}
      onValueChange={(next) => onChange(next as T)}
      className="inline-flex rounded-lg border border-line bg-sunken p-1"
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className={cx(
            "flex h-8 items-center gap-2 rounded-md border border-transparent px-3 text-sm text-muted",
            "hover:text-ink data-[state=checked]:border-line data-[state=checked]:bg-surface",
            "data-[state=checked]:font-medium data-[state=checked]:text-ink data-[state=checked]:shadow-card",
            "[&>svg]:size-4",
          )}
        >
          {option.icon}
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
