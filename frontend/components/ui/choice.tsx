import type { ComponentProps } from "react";

/** A row of a list from which one thing is chosen. */
export function Choice(props: Omit<ComponentProps<"button">, "type" | "className">) {
  return (
    <button
      {...props}
      type="button"
      className="flex w-full items-center gap-3 rounded-lg px-3 py-2.5 text-left text-sm hover:bg-sunken focus-visible:bg-accent-soft focus-visible:-outline-offset-2"
    />
  );
}
