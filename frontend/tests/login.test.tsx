import { screen, waitFor } from "@testing-library/react";
import type { SignedOutReason } from "vestibule";
import { describe, expect, it, vi } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { otpPending, refused, signedIn, signedOut, stale, unreachable } from "./support/states";
import { pass } from "./support/time";

const email = () => screen.getByLabelText("E-mail");
const password = () => screen.getByLabelText("Password");
const button = () => screen.getByRole("button", { name: "Sign in" });

describe("the sign-in page", () => {
  it("signs in by keyboard alone and leads where the user wanted to go", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => {
      shell.changeNow(signedIn(), "login");
      return { outcome: "signed_in" };
    });
    shell.backend({});
    const { user, visit } = await openApp("/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam");
    expect(email(), "typing can begin at once").toHaveFocus();
    await user.keyboard("ada@example.com{Tab}correct horse{Enter}");
    await waitFor(() => expect(visit.current).toBe("/payment/?plan=team"));
    expect(shell.called("login")).toEqual([
      {
        command: "login",
        args: { input: { email: "ada@example.com", password: "correct horse" } },
      },
    ]);
    expect(screen.getByRole("button", { name: "Ada Lovelace, account menu" })).toBeVisible();
  });

  it.each([
    ["", "/dashboard/"],
    ["?next=//evil.example/", "/dashboard/"],
    ["?next=/auth/register/", "/dashboard/"],
    ["?next=/account/", "/account/"],
  ])("someone signed in already is led on from %j", async (query, to) => {
    startShell(signedIn()).backend({});
    const { visit } = await openApp(`/auth/login/${query}`);
    expect(visit.visited).toEqual([to]);
  });

  it("keeps the e-mail, clears the password and says why when they do not match", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => {
      throw refused("invalid_credentials", "That e-mail and password do not match.");
    });
    const { user, visit } = await openApp("/auth/login/");
    await user.type(email(), "ada@example.com");
    await user.type(password(), "wrong");
    await user.click(button());
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "That e-mail and password do not match.",
    );
    expect(email()).toHaveValue("ada@example.com");
    expect(password()).toHaveValue("");
    expect(password()).toHaveFocus();
    expect(visit.visited).toEqual([]);
  });

  it("keeps the password too when the server could not be reached", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => {
      throw unreachable;
    });
    const { user } = await openApp("/auth/login/");
    await user.type(email(), "ada@example.com");
    await user.type(password(), "correct horse");
    await user.click(button());
    expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
    expect(password()).toHaveValue("correct horse");
  });

  it("asks for what is missing at the field itself, and sends nothing", async () => {
    const shell = startShell(signedOut());
    const { user } = await openApp("/auth/login/");
    await user.type(email(), "   ");
    await user.click(button());
    await waitFor(() => expect(email()).toBeInvalid());
    expect(email()).toHaveAccessibleDescription("Enter your e-mail address.");
    expect(password()).toHaveAccessibleDescription("Enter your password.");
    expect(shell.called("login")).toHaveLength(0);
  });

  it.each([
    "ann",
    "ann@localhost",
    "jürgen@example.com",
    "ann@müller.de",
    "ann@xn--e1afmkfd.xn--p1ai",
    "o!x@example.com",
  ])("sends %s as it was typed: the server knows its accounts", async (typed) => {
    const shell = startShell(signedOut());
    const { user } = await openApp("/auth/login/");
    await user.type(email(), typed);
    await user.type(password(), "correct horse");
    await user.click(button());
    await waitFor(() =>
      expect(shell.called("login").map(({ args }) => args)).toEqual([
        { input: { email: typed, password: "correct horse" } },
      ]),
    );
  });

  it("asks for a user name where the server knows people by one", async () => {
    startShell(signedOut(), { identifier: "name" });
    const { user } = await openApp("/auth/login/");
    await user.click(button());
    const field = screen.getByLabelText("User name");
    await waitFor(() => expect(field).toHaveAccessibleDescription("Enter your user name."));
    expect(screen.queryByLabelText("E-mail")).toBeNull();
  });

  it("takes one submission at a time", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => new Promise(() => undefined));
    const { user } = await openApp("/auth/login/");
    await user.type(email(), "ada@example.com");
    await user.type(password(), "p{Enter}");
    await user.keyboard("{Enter}");
    await user.click(screen.getByRole("button", { name: "Signing in…" }));
    expect(shell.called("login")).toHaveLength(1);
  });

  it("counts down a rate limit on the button", async () => {
    vi.useFakeTimers();
    const shell = startShell(signedOut());
    shell.on("login", () => {
      throw refused("rate_limited", "The server asks to wait.", 3000);
    });
    const { user } = await openApp("/auth/login/", { fakeTimers: true });
    await user.type(email(), "ada@example.com");
    await user.type(password(), "p{Enter}");
    await pass(0);
    expect(screen.getByRole("button", { name: "Try again in 3 s" })).toBeDisabled();
    await pass(1000);
    expect(screen.getByRole("button", { name: "Try again in 2 s" })).toBeDisabled();
    await pass(2000);
    expect(button()).toBeEnabled();
  });

  it("keeps the wait when the user leaves the form and comes back", async () => {
    vi.useFakeTimers();
    const shell = startShell(signedOut());
    shell.on("login", () => {
      throw refused("rate_limited", "The server asks to wait.", 60_000);
    });
    const { user, go } = await openApp("/auth/login/", { fakeTimers: true });
    await user.type(email(), "ada@example.com");
    await user.type(password(), "p{Enter}");
    await pass(0);
    await go("/payment/");
    await pass(10_000);
    expect(screen.queryByRole("button", { name: /Try again in/ })).toBeNull();
    await go("/auth/login/");
    await pass(0);
    const waiting = screen.getByRole("button", { name: /Try again in (49|50) s/ });
    expect(waiting).toBeDisabled();
    expect(screen.getByRole("alert")).toHaveTextContent("The server asks to wait");
    // The wait holds for one form and not for the others.
    await go("/auth/register/");
    await pass(0);
    expect(screen.getByRole("button", { name: "Create account" })).toBeEnabled();
    await go("/auth/login/");
    await pass(50_000);
    expect(button()).toBeEnabled();
  });

  it("shows and hides the password", async () => {
    startShell(signedOut());
    const { user } = await openApp("/auth/login/");
    await user.type(password(), "secret");
    expect(password()).toHaveAttribute("type", "password");
    await user.click(screen.getByRole("button", { name: "Show password" }));
    expect(password()).toHaveAttribute("type", "text");
    await user.click(screen.getByRole("button", { name: "Hide password" }));
    expect(password()).toHaveAttribute("type", "password");
  });

  it.each<[SignedOutReason, RegExp]>([
    ["expired", /Your session has expired/],
    ["revoked", /You were signed out from elsewhere.*change your password/],
    ["reuse", /You were signed out to protect your account.*change your password/],
    ["device_mismatch", /This device is not recognised/],
    ["missing", /Your keyring no longer holds this session/],
    ["provider_moved", /Your sign-in service has moved/],
    ["by_user", /^You are signed out\.$/],
  ])("says why, and what to do, after %s", async (why, words) => {
    startShell(signedOut(why));
    await openApp("/auth/login/");
    const said = [...screen.queryAllByRole("alert"), ...screen.queryAllByRole("status")];
    expect(said.some(({ textContent }) => words.test(textContent ?? ""))).toBe(true);
  });

  it("says nothing to someone who was never signed in", async () => {
    startShell(signedOut("never"));
    await openApp("/auth/login/");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.queryByText(/signed out/)).toBeNull();
  });

  it("goes to the code when one is wanted, and keeps the way back", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => {
      shell.changeNow(otpPending(), "challenge");
      return { outcome: "otp_required" };
    });
    const { user, visit } = await openApp("/auth/login/?next=/account/");
    await user.type(email(), "ada@example.com");
    await user.type(password(), "p{Enter}");
    expect(await screen.findByRole("heading", { name: "Enter the code" })).toBeVisible();
    expect(visit.current).toBe("/auth/otp/?next=%2Faccount%2F");
    expect(visit.current, "the address says nothing about who").not.toContain("ada");
  });

  it("opens to someone offline who asks to sign in again, from the menu", async () => {
    startShell(stale()).backend({});
    const { user, visit } = await openApp("/");
    await user.click(screen.getByRole("button", { name: "Ada Lovelace, account menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Sign in again" }));
    expect(visit.current, "in front of the page").toBe("/");
    expect(screen.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    expect(screen.getByText(/Your session is still held/)).toBeVisible();
    await waitFor(() => expect(password()).toHaveFocus());
    expect(email()).toHaveValue("ada@example.com");
    await user.click(screen.getByRole("button", { name: "Not now" }));
    expect(screen.getByRole("heading", { name: /Welcome back, Ada/ })).toBeVisible();
  });
});
