import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Lets fake time pass in steps, with a render after each, as real time does. */
export async function pass(ms: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(0));
  for (let left = ms; left > 0; left -= 100) {
    await act(() => vi.advanceTimersByTimeAsync(Math.min(100, left)));
  }
}
