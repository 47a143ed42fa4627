import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import ErrorPage from "@/app/error";
import { momentNow, useCountdown } from "@/lib/clock";
import { pass } from "./support/time";

describe("a page that broke", () => {
  it("says so, that the session is not affected, and offers two ways on", async () => {
    const reset = vi.fn();
    render(<ErrorPage error={new Error("with a secret in it")} reset={reset} />);
    expect(screen.getByRole("alert")).toHaveTextContent("Your session is not affected.");
    expect(document.body).not.toHaveTextContent("secret");
    expect(screen.getByRole("button", { name: "Reload the window" })).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(reset).toHaveBeenCalledOnce();
  });
});

function Left({ until }: { until: number | null }) {
  return <output>{useCountdown(until)}</output>;
}

describe("a countdown", () => {
  it("ends at zero, starts again from a new moment, and heeds no clock that is set", async () => {
    vi.useFakeTimers();
    const { rerender } = render(<Left until={momentNow() + 2500} />);
    const left = screen.getByRole("status");
    expect(left).toHaveTextContent("3");
    await pass(600);
    expect(left).toHaveTextContent("2");
    await pass(5000);
    expect(left).toHaveTextContent("0");
    rerender(<Left until={momentNow() + 60_000} />);
    expect(left).toHaveTextContent("60");
    // The clock is set back by a day.
    vi.setSystemTime(Date.now() - 86_400_000);
    await pass(51_000);
    expect(left).toHaveTextContent("9");
    rerender(<Left until={null} />);
    expect(left).toHaveTextContent("0");
    await act(async () => undefined);
    expect(vi.getTimerCount(), "nothing ticks for nothing").toBe(0);
  });
});
