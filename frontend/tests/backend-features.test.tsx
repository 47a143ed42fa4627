// What a backend does not offer is not offered to the user either. A person who asks for it by its
// address reads that it does not exist.

import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { shop } from "./support/plans";
import { offered, otpPending, reply, signedIn, signedOut } from "./support/states";

const accounts = () => screen.queryAllByRole("link", { name: /create (an )?account/i });

describe("a server that makes no accounts", () => {
  const start = () => startShell(signedOut(), { register: false });

  it("is offered none, wherever there is a way in", async () => {
    start();
    await openApp("/");
    expect(accounts()).toHaveLength(0);
    const [inHeader, inPage] = screen.getAllByRole("link", { name: "Sign in" });
    expect(inHeader).toHaveAttribute("href", "/auth/login/");
    expect(inPage, "the page's own way on").toHaveAttribute("href", "/auth/login/");
    expect(screen.queryByText(/Make an account/)).toBeNull();
  });

  it("nor on the sign-in page, nor beside what is for sale", async () => {
    const shell = start();
    shell.backend(shop);
    const { go } = await openApp("/auth/login/");
    expect(screen.queryByText(/No account yet/)).toBeNull();
    await go("/payment/?plan=team");
    expect(await screen.findByRole("link", { name: "Sign in to buy" })).toBeVisible();
    expect(accounts()).toHaveLength(0);
  });

  it("and says so to a person who opens the address", async () => {
    const shell = start();
    const { user, visit } = await openApp("/auth/register/?next=/account/");
    expect(screen.getByText(/does not let you create an account here/)).toBeVisible();
    expect(screen.queryByRole("button", { name: "Create account" })).toBeNull();
    const main = within(screen.getByRole("main"));
    await user.click(main.getByRole("link", { name: "Sign in" }));
    await waitFor(() => expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F"));
    expect(shell.called("register")).toHaveLength(0);
  });

  it("while any other is offered them", async () => {
    startShell(signedOut());
    await openApp("/");
    expect(accounts().length).toBeGreaterThan(1);
  });
});

describe("a server that sends no codes", () => {
  it("is not asked for another, and the code is looked for in an app", async () => {
    startShell(otpPending(0, [offered("totp")]));
    await openApp("/auth/otp/");
    expect(screen.queryByRole("button", { name: /send/i })).toBeNull();
    expect(screen.queryByText(/We sent/)).toBeNull();
    expect(screen.getByLabelText("Six-digit code")).toHaveAccessibleDescription(
      /ada@example.com from your authenticator app/,
    );
  });

  it("while any other is asked", async () => {
    startShell(otpPending());
    await openApp("/auth/otp/");
    expect(screen.getByRole("button", { name: "Send a new code" })).toBeVisible();
    expect(screen.getByText(/We sent six digits/)).toBeVisible();
  });
});

describe("a server that keeps no list of sessions", () => {
  const card = () => screen.queryByRole("region", { name: "Where you are signed in" });

  it("is asked for none, and the page has no place for one", async () => {
    const shell = startShell(signedIn(), { sessions: false, logoutAll: false });
    await openApp("/account/");
    expect(await screen.findByText("https://api.example.com")).toBeVisible();
    expect(card()).toBeNull();
    expect(shell.called("sessions")).toHaveLength(0);
  });

  it("may still end them all", async () => {
    const shell = startShell(signedIn(), { sessions: false });
    await openApp("/account/");
    expect(card()).toHaveTextContent("This server does not list sessions.");
    expect(screen.getByRole("button", { name: "Sign out everywhere" })).toBeVisible();
    expect(shell.called("sessions")).toHaveLength(0);
  });

  it("or list them and have no end to all", async () => {
    const shell = startShell(signedIn(), { logoutAll: false });
    await openApp("/account/");
    await waitFor(() => expect(shell.called("sessions")).toHaveLength(1));
    expect(card()).toBeVisible();
    expect(screen.queryByRole("button", { name: "Sign out everywhere" })).toBeNull();
  });

  it("says that it cannot end them, and signs out nowhere, where only the server knows", async () => {
    const shell = startShell(signedIn());
    shell.backend({ "POST /logout-all": reply(404) });
    const { user } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("does not offer this");
    expect(shell.called("logout"), "it would not be everywhere").toHaveLength(0);
  });
});
