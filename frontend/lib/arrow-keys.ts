import type { KeyboardEvent } from "react";

/**
 * Moves the focus through the fields and buttons of a list by the arrow keys, and by Home and End
 * outside a field.
 */
export function moveByArrowKeys(event: KeyboardEvent<HTMLElement>): void {
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, button")];
  const inField = event.target instanceof HTMLInputElement;
  const to = target(event.key, stops.indexOf(event.target as HTMLElement), stops.length, inField);
  const next = to === null ? undefined : stops[to];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function target(key: string, from: number, count: number, inField: boolean): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(from + 1, count - 1);
    case "ArrowUp":
      return Math.max(from - 1, 0);
    case "Home":
      return inField ? null : 0;
    case "End":
      return inField ? null : count - 1;
    default:
      return null;
  }
}
