import { screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { reply, signedIn, signedOut, unreachable } from "./support/states";

const accounts = [
  { label: "Plain", email: "demo@vestibule.test", password: "vestibule-demo" },
  { label: "With a code", email: "otp@vestibule.test", password: "vestibule-demo" },
];
const offered = reply(200, accounts);

describe("the demo accounts", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("are offered in development, and one click fills the form", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const shell = startShell(signedOut());
    shell.on("login", () => {
      shell.changeNow(signedIn(), "login");
      return { outcome: "signed_in" };
    });
    shell.backend({ "GET /demo-accounts": offered });
    const { user, visit } = await openApp("/auth/login/");
    expect(await screen.findByRole("region", { name: "Demo accounts" })).toBeVisible();
    await user.click(screen.getByRole("button", { name: "With a code" }));
    expect(screen.getByLabelText("E-mail")).toHaveValue("otp@vestibule.test");
    await user.click(screen.getByRole("button", { name: "Plain" }));
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(visit.current).toBe("/dashboard/"));
    const { email, password } = accounts[0] ?? {};
    expect(shell.called("login").map(({ args }) => args)).toEqual([{ input: { email, password } }]);
  });

  it.each([
    ["has none", () => reply(404, { message: "no" })],
    ["answers something else", () => reply(200, { accounts })],
    ["is out of reach", () => Promise.reject(unreachable)],
  ])("are no part of the page when the server %s", async (_name, answer) => {
    vi.stubEnv("NODE_ENV", "development");
    const shell = startShell(signedOut());
    shell.backend({ "GET /demo-accounts": answer });
    await openApp("/auth/login/");
    await waitFor(() => expect(shell.requests()).toHaveLength(1));
    expect(screen.queryByText("Demo accounts")).toBeNull();
  });

  it("are not even asked for in a build", async () => {
    const shell = startShell(signedOut());
    shell.backend({ "GET /demo-accounts": offered });
    await openApp("/auth/login/");
    expect(screen.getByRole("button", { name: "Sign in" })).toBeVisible();
    expect(shell.requests()).toHaveLength(0);
  });
});
