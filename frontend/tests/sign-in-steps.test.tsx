import { screen } from "@testing-library/react";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { otpPending, signedIn, signedOut } from "./support/states";
import { pass } from "./support/time";

// Between a form that has signed somebody in and the page after it: the router takes a moment, or never
// gets there.

/** A shell at which the form signs in. */
function openShell() {
  vi.useFakeTimers();
  const shell = startShell(signedOut("by_user"));
  shell.on("login", () => {
    shell.changeNow(signedIn(), "login");
    return { outcome: "signed_in" };
  });
  shell.backend({});
  return shell;
}

async function signIn({ user }: Awaited<ReturnType<typeof openApp>>) {
  await user.type(screen.getByLabelText("E-mail"), "ada@example.com");
  await user.type(screen.getByLabelText("Password"), "correct horse{Enter}");
  await pass(0);
}

const spins = () => document.querySelector(".animate-spin") !== null;

describe("a form that has signed somebody in", () => {
  it("stays as it was sent until the next page is there", async () => {
    const shell = openShell();
    const app = await openApp("/auth/login/?next=/account/", { fakeTimers: true });
    app.visit.isStuck = true;
    await signIn(app);
    expect(app.visit.visited).toEqual(["/account/"]);
    expect(screen.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    expect(screen.getByLabelText("E-mail")).toHaveValue("ada@example.com");
    expect(screen.getByText("You are signed out."), "as when it was sent").toBeVisible();
    await app.user.click(screen.getByRole("button", { name: "Signing in…" }));
    expect(shell.called("login"), "and it is sent once").toHaveLength(1);

    app.visit.isStuck = false;
    await app.go("/account/");
    expect(screen.queryByLabelText("Password")).toBeNull();
    expect(screen.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
  });

  it("stays too where it has a code", async () => {
    vi.useFakeTimers();
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      shell.changeNow(signedIn(), "verify_otp");
      return { outcome: "signed_in" };
    });
    const { user, visit } = await openApp("/auth/otp/", { fakeTimers: true });
    visit.isStuck = true;
    await user.keyboard("123456");
    await pass(0);
    expect(visit.visited).toEqual(["/dashboard/"]);
    expect(screen.getByRole("heading", { level: 1, name: "Enter the code" })).toBeVisible();
  });

  it("does not stay for ever: the window loads a page that the router does not show", async () => {
    openShell();
    const replace = vi.fn();
    const { location } = window;
    onTestFinished(() => void vi.stubGlobal("location", location));
    vi.stubGlobal("location", { replace });
    const app = await openApp("/auth/login/", { fakeTimers: true });
    app.visit.isStuck = true;
    await signIn(app);
    await pass(2900);
    expect(replace).not.toHaveBeenCalled();
    await pass(200);
    expect(replace.mock.calls).toEqual([["/dashboard/"]]);
  });

  it("needs no event: a change that got lost is read", async () => {
    const shell = openShell();
    const app = await openApp("/auth/login/", { fakeTimers: true });
    const [channel] = shell.channels.splice(0);
    expect(channel).toBeDefined();
    await signIn(app);
    expect(app.visit.visited, "the page waits for the change").toEqual([]);
    await pass(1000);
    expect(app.visit.visited).toEqual(["/dashboard/"]);
  });

  it("shows no spinner where the answer comes in a moment, and one where it does not", async () => {
    const shell = openShell();
    shell.on("login", () => new Promise(() => undefined));
    await signIn(await openApp("/auth/login/", { fakeTimers: true }));
    expect(screen.getByRole("button", { name: "Signing in…" })).toBeVisible();
    await pass(100);
    expect(spins()).toBe(false);
    await pass(100);
    expect(spins()).toBe(true);
  });
});
