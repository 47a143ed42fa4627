// The sign-in page of a backend whose people sign in by the browser: what it offers, and what it says
// when a sign-in has failed.

import { act, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { openApp } from "./support/app";
import { byBrowser, google, startBrowserShell, unnamed } from "./support/browser";
import { browserPending, otpPending, refused, signedIn, signedOut, stale } from "./support/states";
import { pass } from "./support/time";

const button = (name: string) => screen.getByRole("button", { name });
const email = () => screen.queryByLabelText("E-mail");
const names = () =>
  screen
    .getAllByRole("button")
    .filter((found) => found.closest("main"))
    .map(({ textContent }) => textContent);
const heading = (name: string) => screen.getByRole("heading", { level: 1, name });

describe("the sign-in page of a server with sign-in by the browser", () => {
  it("has the buttons over the form, which still has the focus", async () => {
    startBrowserShell(signedOut(), byBrowser([google, unnamed]));
    await openApp("/auth/login/");
    expect(names()).toEqual(["Continue with Google", "Continue in your browser", "", "Sign in"]);
    expect(email()).toHaveFocus();
    const order = button("Continue with Google").compareDocumentPosition(email() as HTMLElement);
    expect(order & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    expect(screen.getByText("or")).toBeVisible();
  });

  it("shows the picture of a button, which screen readers skip", async () => {
    startBrowserShell(signedOut());
    await openApp("/auth/login/");
    const picture = button("Continue with Google").querySelector("img");
    expect(picture).toHaveAttribute("src", google.icon);
    expect(picture).toHaveAttribute("alt", "");
  });

  it("has the buttons alone where there are no passwords, and the first has the focus", async () => {
    startBrowserShell(signedOut(), byBrowser([unnamed], { password: false, register: false }));
    await openApp("/auth/login/");
    expect(names()).toEqual(["Continue in your browser"]);
    expect(button("Continue in your browser")).toHaveFocus();
    expect(email()).toBeNull();
    expect(screen.queryByLabelText("Password")).toBeNull();
    expect(screen.queryByText("or")).toBeNull();
    expect(screen.queryByRole("link", { name: "Create an account" })).toBeNull();
  });

  it("has the form alone where there is no such way", async () => {
    startBrowserShell(signedOut(), {});
    await openApp("/auth/login/");
    expect(names()).toEqual(["", "Sign in"]);
    expect(screen.queryByText("or")).toBeNull();
  });

  it("tells several buttons without a label apart", async () => {
    startBrowserShell(signedOut(), byBrowser([unnamed, { ...unnamed, name: "work" }]));
    await openApp("/auth/login/");
    expect(button("Continue in your browser: browser")).toBeVisible();
    expect(button("Continue in your browser: work")).toBeVisible();
  });

  it("offers a code for another device where the server has them, and nowhere else", async () => {
    const offers = byBrowser([google], { password: false, device: true });
    const shell = startBrowserShell(signedOut(), offers);
    const { user } = await openApp("/auth/login/");
    await user.tab();
    expect(button("Use a code on another device")).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(shell.begun()).toEqual([{ device: true }]);
  });

  it("begins one sign-in, of the button that was clicked, however often", async () => {
    const shell = startBrowserShell(signedOut(), byBrowser([google, unnamed]));
    const { user } = await openApp("/auth/login/");
    await user.dblClick(button("Continue with Google"));
    await user.click(button("Continue in your browser"));
    expect(shell.begun()).toEqual([{ button: "google" }]);
    expect(button("Continue with Google")).toHaveAttribute("aria-disabled", "true");
  });

  it("signs in by keyboard alone and leads where the person wanted to go", async () => {
    const shell = startBrowserShell(signedOut(), byBrowser([google], { password: false }));
    shell.backend({});
    const { user, visit } = await openApp("/auth/login/?next=/account/");
    await user.keyboard("{Enter}");
    await shell.change(browserPending({ label: google.label }), "browser");
    expect(visit.current).toBe("/auth/browser/?next=%2Faccount%2F");
    expect(heading("Continue in your browser")).toHaveFocus();
    await shell.change(signedIn(), "browser");
    await act(async () => shell.ends[0]?.resolve({ outcome: "signed_in" }));
    expect(visit.current).toBe("/account/");
    expect(button("Ada Lovelace, account menu")).toBeVisible();
  });

  it("goes on to a second factor as after a password", async () => {
    const shell = startBrowserShell(browserPending());
    const { visit } = await openApp("/auth/browser/?next=/account/");
    await shell.change(otpPending(), "challenge");
    expect(heading("Enter the code")).toBeVisible();
    expect(visit.current).toBe("/auth/otp/?next=%2Faccount%2F");
  });
});

describe("a sign-in by the browser that has failed", () => {
  const CANCELLED = refused("other", "You cancelled the sign-in in the browser.");

  it.each([
    ["before", "after"],
    ["after", "before"],
  ])("is said over the buttons, where the state comes %s the answer", async (state, _answer) => {
    const shell = startBrowserShell(signedOut(), byBrowser([google], { password: false }));
    const { user, visit } = await openApp("/auth/login/?next=/account/");
    await user.click(button("Continue with Google"));
    await shell.change(browserPending(), "browser");
    const answer = () => act(async () => shell.ends[0]?.reject(CANCELLED));
    if (state === "after") await answer();
    await shell.change(signedOut(), "browser");
    if (state === "before") await answer();
    expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F");
    expect(screen.getByRole("alert")).toHaveTextContent(CANCELLED.message);
    expect(button("Continue with Google")).toHaveFocus();
    expect(button("Continue with Google")).toHaveAccessibleDescription(
      "You could not be signed in You cancelled the sign-in in the browser.",
    );
  });

  it("leaves the focus on the button that was used, also over a form", async () => {
    const offers = byBrowser([google, unnamed], { device: true });
    const shell = startBrowserShell(signedOut(), offers);
    const { user } = await openApp("/auth/login/");
    await user.click(button("Continue in your browser"));
    await shell.change(browserPending(), "browser");
    await act(async () => shell.ends[0]?.reject(CANCELLED));
    await shell.change(signedOut(), "browser");
    expect(button("Continue in your browser")).toHaveFocus();
  });

  it("is said of one that never began, and can be tried again", async () => {
    const shell = startBrowserShell(signedOut());
    const { user, visit } = await openApp("/auth/login/");
    await user.click(button("Continue with Google"));
    await act(async () => shell.ends[0]?.reject(refused("other", "The server cannot be reached.")));
    expect(screen.getByRole("alert")).toHaveTextContent("The server cannot be reached.");
    expect(visit.visited).toEqual([]);
    await user.click(button("Continue with Google"));
    expect(screen.queryByRole("alert"), "the next try is under way").toBeNull();
    expect(shell.begun()).toHaveLength(2);
  });

  it("says nothing where it was given up or replaced", async () => {
    const shell = startBrowserShell(signedOut());
    const { user } = await openApp("/auth/login/");
    await user.click(button("Continue with Google"));
    await shell.change(browserPending(), "browser");
    await user.click(button("Cancel"));
    await act(async () => shell.ends[0]?.reject(refused("browser_sign_in_over", "It is over.")));
    expect(heading("Sign in")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.queryByText("It is over.")).toBeNull();
    await user.click(button("Continue with Google"));
    expect(shell.begun(), "and another can begin").toHaveLength(2);
  });

  it("says nothing of an earlier one while a later one is under way", async () => {
    const shell = startBrowserShell(signedOut());
    const { user } = await openApp("/auth/login/");
    await user.click(button("Continue with Google"));
    await shell.change(browserPending(), "browser");
    await shell.change(signedOut(), "browser");
    await user.click(button("Continue with Google"));
    await act(async () => shell.ends[0]?.reject(CANCELLED));
    expect(screen.queryByRole("alert")).toBeNull();
    expect(button("Continue with Google")).toHaveAttribute("aria-disabled", "true");
  });

  it("is forgotten when a password is sent, whose failure takes its place", async () => {
    const shell = startBrowserShell(signedOut());
    shell.on("login", () => {
      throw refused("invalid_credentials", "They do not match.");
    });
    const { user } = await openApp("/auth/login/");
    await user.click(button("Continue with Google"));
    await act(async () => shell.ends[0]?.reject(CANCELLED));
    await user.type(email() as HTMLElement, "ada@example.com{Tab}p{Enter}");
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("They do not match."));
    expect(screen.queryByText(CANCELLED.message)).toBeNull();
    await user.click(button("Continue with Google"));
    expect(screen.queryByRole("alert"), "and so is that one").toBeNull();
  });

  it("is said also to a person whose session is still held", async () => {
    const shell = startBrowserShell(stale());
    shell.backend({});
    const { user } = await openApp("/");
    await user.click(button("Ada Lovelace, account menu"));
    await user.click(await screen.findByRole("menuitem", { name: "Sign in again" }));
    await user.click(button("Continue with Google"));
    await shell.change(browserPending(), "browser");
    await act(async () => shell.ends[0]?.reject(CANCELLED));
    await shell.change(stale(), "browser");
    expect(heading("Sign in")).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent(CANCELLED.message);
  });

  it("counts down a wait that is asked for", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(signedOut());
    const { user } = await openApp("/auth/login/", { fakeTimers: true });
    await user.click(button("Continue with Google"));
    await act(async () => shell.ends[0]?.reject(refused("busy", "Wait a moment.", 3000)));
    expect(button("Continue with Google")).toBeDisabled();
    expect(screen.getByText("You can try again in 3 s.")).toBeVisible();
    await pass(3000);
    expect(button("Continue with Google")).toBeEnabled();
    expect(screen.queryByText(/You can try again/)).toBeNull();
  });
});
