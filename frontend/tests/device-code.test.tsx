// The screen of a sign-in on another device.

import { screen, waitFor } from "@testing-library/react";
import decodeQr from "qr/decode.js";
import { describe, expect, it, vi } from "vitest";
import { openApp } from "./support/app";
import { byBrowser, google, startBrowserShell } from "./support/browser";
import { browserPending, signedOut } from "./support/states";
import { pass } from "./support/time";

const button = (name: string) => screen.getByRole("button", { name });
const device = {
  code: "WDJB-MJHT",
  address: "https://login.example.com/device",
  completeAddress: "https://login.example.com/device?user_code=WDJB-MJHT",
};
const pending = (more: Partial<typeof device> | { completeAddress: null } = {}) =>
  browserPending({ opened: false, device: { ...device, ...more } });

/** What a camera reads of a drawn code: each module is a square of some pixels. */
function scan(svg: Element): string {
  const PIXELS = 4;
  const [left = 0, top = 0, side = 0] = svg.getAttribute("viewBox")?.split(" ").map(Number) ?? [];
  const size = side * PIXELS;
  const data = new Uint8ClampedArray(size * size * 4).fill(128);
  const paint = (x: number, y: number, width: number, height: number, grey: number) => {
    for (let row = (y - top) * PIXELS; row < (y - top + height) * PIXELS; row++) {
      const begin = (row * size + (x - left) * PIXELS) * 4;
      data.fill(grey, begin, begin + width * PIXELS * 4);
    }
  };
  const of = (element: Element | null, name: string) => Number(element?.getAttribute(name));
  const ground = svg.querySelector("rect");
  expect(ground).toHaveAttribute("fill", "#fff");
  paint(of(ground, "x"), of(ground, "y"), of(ground, "width"), of(ground, "height"), 255);
  const dark = svg.querySelector("path");
  expect(dark).toHaveAttribute("fill", "#000");
  for (const [, x, y, width] of dark?.getAttribute("d")?.matchAll(/M(\d+) (\d+)h(\d+)v1H\1z/g) ??
    []) {
    paint(Number(x), Number(y), Number(width), 1, 0);
  }
  return decodeQr({ width: size, height: size, data });
}

describe("a sign-in on another device", () => {
  it("shows the code and the address, and how long they work", async () => {
    startBrowserShell(pending());
    await openApp("/auth/browser/");
    expect(
      screen.getByRole("heading", { level: 1, name: "Sign in on another device" }),
    ).toHaveFocus();
    expect(screen.getByRole("group", { name: "Code" })).toHaveTextContent("WDJB-MJHT");
    expect(screen.getByRole("group", { name: "Address" })).toHaveTextContent(device.address);
    expect(screen.getByText("10 min")).toBeVisible();
    expect(screen.queryByText(/could not be opened/), "it is not for here").toBeNull();
  });

  it.each([
    ["the address that has the code already", {}, device.completeAddress],
    ["the address alone, where there is no other", { completeAddress: null }, device.address],
    [
      "letters of any script",
      { completeAddress: "https://ü.example/a?b=ß" },
      "https://ü.example/a?b=ß",
    ],
  ])("draws a QR code of %s", async (_name, more, text) => {
    startBrowserShell(pending(more));
    await openApp("/auth/browser/");
    const svg = await screen.findByRole("img", { name: `QR code of ${device.address}` });
    expect(scan(svg)).toBe(text);
  });

  it("asks to compare the code where a scan fills it in", async () => {
    const shell = startBrowserShell(pending());
    await openApp("/auth/browser/");
    expect(screen.getByText(/Go on only if it shows the same code/)).toBeVisible();
    await shell.change(pending({ completeAddress: null }), "browser");
    expect(screen.queryByText(/Go on only/)).toBeNull();
  });

  it("does without a QR code where the address is too long for one", async () => {
    startBrowserShell(pending({ completeAddress: `https://x.example/${"a".repeat(3000)}` }));
    const { view } = await openApp("/auth/browser/");
    await waitFor(() => expect(view.container.querySelector(".aspect-square")).toBeNull());
    expect(screen.queryByRole("img", { name: /QR code/ })).toBeNull();
    expect(screen.getByText("WDJB-MJHT")).toBeVisible();
  });

  it("copies the code by keyboard alone", async () => {
    startBrowserShell(pending());
    const { user } = await openApp("/auth/browser/");
    await user.tab();
    expect(button("Copy the code")).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(await screen.findByText("Copied.")).toHaveAttribute("role", "status");
    expect(await navigator.clipboard.readText()).toBe("WDJB-MJHT");
  });

  it("selects the code where the engine gives no clipboard", async () => {
    startBrowserShell(pending());
    const { user } = await openApp("/auth/browser/");
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
    await user.click(button("Copy the code"));
    expect(
      await screen.findByText(/^The code is selected\. Copy it with Ctrl\+C\.$/),
    ).toBeVisible();
    expect(window.getSelection()?.toString()).toBe("WDJB-MJHT");
  });

  it("gets a new code when the time is up", async () => {
    vi.useFakeTimers();
    const offers = byBrowser([google], { device: true });
    const shell = startBrowserShell(
      browserPending({ device, opened: false, expiresInMs: 2000, label: google.label }),
      offers,
    );
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    await pass(2000);
    expect(screen.queryByText("WDJB-MJHT"), "it no longer works").toBeNull();
    await user.click(button("Get a new code"));
    expect(shell.begun()).toEqual([{ device: true }]);
    await shell.change(
      browserPending({ id: "b2", device: { ...device, code: "NEWC-ODE2" } }),
      "browser",
    );
    expect(screen.getByText("NEWC-ODE2")).toBeVisible();
  });

  it("is given up by Escape", async () => {
    const shell = startBrowserShell(pending());
    const { user, visit } = await openApp("/auth/browser/");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(visit.current).toBe("/auth/login/"));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(1);
  });

  it("is offered nowhere else", async () => {
    startBrowserShell(signedOut());
    await openApp("/auth/login/");
    expect(screen.queryByRole("button", { name: /another device/ })).toBeNull();
  });
});
