import { act, screen, waitFor, within } from "@testing-library/react";
import type { SignedOutReason } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { shop } from "./support/plans";
import {
  asAdmin,
  otpPending,
  refused,
  reply,
  signedIn,
  signedOut,
  unreachable,
} from "./support/states";

const people = reply(200, { users: [{ id: "9", name: "Grace Hopper", email: "g@x.y" }] });
const grace = signedIn({
  ...asAdmin,
  user: { ...asAdmin.user, id: "u2", name: "Grace Hopper", email: "g@x.y" },
});

const search = () => screen.findByLabelText("Find by name or e-mail");
const note = () => screen.findByLabelText("Note for yourself");
const password = () => screen.getByLabelText("Password");

const offline = signedIn({
  ...asAdmin,
  freshness: { kind: "stale", since: Date.now(), retryInMs: null, why: null },
});

/** Ada, an administrator, has typed something on a guarded page. */
async function atWork() {
  const shell = startShell(signedIn(asAdmin));
  shell.backend({ "GET /admin/users": people, ...shop });
  const app = await openApp("/admin/");
  await app.user.type(await search(), "grace");
  return { shell, ...app };
}

/** Ada has typed a note on a public page, in a form that only signed-in users see. */
async function atTheTill() {
  const shell = startShell(signedIn());
  shell.backend(shop);
  const app = await openApp("/payment/?plan=team");
  await app.user.type(await note(), "for the office");
  return { shell, ...app };
}

describe("a session that ends while its user is working", () => {
  it.each<[SignedOutReason, RegExp]>([
    ["expired", /Your session has expired/],
    ["revoked", /You were signed out from elsewhere/],
    ["reuse", /You were signed out to protect your account/],
    ["device_mismatch", /This device is not recognised/],
    ["missing", /Your keyring no longer holds this session/],
    ["provider_moved", /Your sign-in service has moved/],
  ])("%s: says why, in front of the page, and gives the input back", async (why, words) => {
    const { shell, user, visit } = await atWork();
    const field = await search();
    shell.on("login", () => {
      shell.changeNow(signedIn(asAdmin), "login");
      return { outcome: "signed_in" };
    });
    await shell.change(signedOut(why), "rejected");
    expect(screen.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    expect(screen.getByText(words)).toBeVisible();
    expect(screen.getByLabelText("E-mail")).toHaveValue("ada@example.com");
    await waitFor(() => expect(password()).toHaveFocus());
    expect(visit.visited, "the page is not left").toEqual([]);

    await user.type(password(), "correct horse{Enter}");
    await waitFor(() => expect(field).toBeVisible());
    expect(await search(), "the very same field").toBe(field);
    expect(field).toHaveValue("grace");
    expect(field, "and one types on").toHaveFocus();
    expect(screen.queryByRole("heading", { name: "Sign in" })).toBeNull();
    expect(document.title).toBe("People · Vestibule");
  });

  it("shows nothing of a guarded page meanwhile, nor adds to it, nor asks for more", async () => {
    const { shell } = await atWork();
    const asked = shell.requests().length;
    const added: string[] = [];
    const observer = new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) added.push(node.textContent ?? "");
      }
    });
    observer.observe(document, { subtree: true, childList: true });
    await shell.change(signedOut("expired"), "rejected");
    // Later changes do not reach the hidden page either.
    await shell.change(otpPending(), "challenge");
    await shell.change(signedOut("expired"), "challenge");
    observer.disconnect();
    for (const text of ["Accounts", "Grace Hopper", "Export as CSV"]) {
      for (const found of screen.queryAllByText(text)) expect(found, text).not.toBeVisible();
      expect(added.join("\n"), text).not.toContain(text);
    }
    expect(screen.queryByRole("region", { name: "Accounts" })).toBeNull();
    expect(document.title).toBe("Sign in · Vestibule");
    expect(shell.requests()).toHaveLength(asked);
    expect(screen.queryByRole("button", { name: "Not now" }), "nothing to go on with").toBeNull();
    expect(screen.queryByRole("link", { name: "Sign in" }), "it is here").toBeNull();
  });

  it("hides a dialog of the page, too", async () => {
    const shell = startShell(signedIn());
    shell.backend({});
    const { user } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await shell.change(signedOut("expired"), "rejected");
    expect(dialog).not.toBeVisible();
    await user.type(password(), "p");
    expect(password(), "nothing lies over the form").toHaveValue("p");
    await shell.change(signedIn(), "login");
    expect(screen.getByRole("alertdialog")).toBeVisible();
  });

  it("keeps the input over a code", async () => {
    const { shell, user, visit } = await atWork();
    await shell.change(signedOut("expired"), "rejected");
    await shell.change(otpPending(), "challenge");
    expect(screen.getByRole("heading", { name: "Enter the code" })).toBeVisible();
    shell.on("verify_otp", () => {
      shell.changeNow(signedIn(asAdmin), "verify_otp");
      return { outcome: "signed_in" };
    });
    await user.type(screen.getByLabelText("Six-digit code"), "123456");
    expect(await search()).toHaveValue("grace");
    expect(visit.visited).toEqual([]);
  });

  it("keeps it when the challenge is cancelled, and says why a late code is refused", async () => {
    const { shell, user } = await atWork();
    await shell.change(signedOut("expired"), "rejected");
    await shell.change(otpPending(), "challenge");
    shell.on("verify_otp", () => {
      shell.changeNow(signedOut("expired"), "challenge");
      throw refused("challenge_over", "The code has expired. Sign in again.");
    });
    await user.type(screen.getByLabelText("Six-digit code"), "123456");
    expect(await screen.findByText(/The code has expired/)).toBeVisible();
    await shell.change(signedIn(asAdmin), "login");
    expect(await search()).toHaveValue("grace");
  });

  it("never shows one person's input to another", async () => {
    const { shell } = await atWork();
    await shell.change(signedOut("expired"), "rejected");
    await shell.change(grace, "login");
    expect(await search()).toHaveValue("");
    expect(document.body.innerHTML).not.toContain("ada@example.com");
  });

  it("nor does a change of person without an end between", async () => {
    const { shell } = await atWork();
    await shell.change(grace, "login");
    expect(await search()).toHaveValue("");
  });

  it("keeps nothing for someone who signs out", async () => {
    const { shell, visit, go } = await atWork();
    await shell.change(signedOut("by_user"), "logout");
    expect(visit.current).toBe("/auth/login/");
    expect(document.body.innerHTML).not.toContain("grace");
    await shell.change(signedIn(asAdmin), "login");
    expect(visit.current).toBe("/dashboard/");
    await go("/admin/");
    expect(await search()).toHaveValue("");
  });

  it("keeps nothing once the window has gone elsewhere", async () => {
    const { shell, go } = await atWork();
    await shell.change(signedOut("expired"), "rejected");
    await go("/payment/");
    expect(await screen.findByRole("heading", { level: 1, name: "Plans" })).toBeVisible();
    expect(screen.getByText(/Your session has expired/)).toBeVisible();
    await go("/admin/");
    expect(screen.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    expect(document.body.innerHTML).not.toContain("grace");
  });

  it("puts nothing into the web's storages", async () => {
    const { shell } = await atWork();
    await shell.change(signedOut("expired"), "rejected");
    expect(localStorage).toHaveLength(0);
    expect(sessionStorage).toHaveLength(0);
    expect(window.history.state).toBeNull();
    expect(document.cookie).toBe("");
  });
});

describe("a public page whose user's session ends", () => {
  it("keeps the form that only the signed-in are shown", async () => {
    const { shell, user } = await atTheTill();
    await shell.change(signedOut("revoked"), "rejected");
    expect(screen.getByText(/You were signed out from elsewhere/)).toBeVisible();
    await shell.change(signedIn(), "login");
    expect(await note()).toHaveValue("for the office");
    await user.click(screen.getByRole("button", { name: "Buy Team" }));
    expect(await screen.findByText("for the office")).toBeVisible();
  });

  it("may be looked at without signing in, and then keeps nothing", async () => {
    const { shell, user, visit } = await atTheTill();
    await shell.change(signedOut("expired"), "rejected");
    await user.click(screen.getByRole("button", { name: "Not now" }));
    expect(await screen.findByRole("heading", { name: "The Team plan" })).toBeVisible();
    expect(screen.getByRole("link", { name: "Sign in to buy" })).toBeVisible();
    expect(document.body.innerHTML).not.toContain("for the office");
    expect(
      within(screen.getByRole("region", { name: "Session" })).getByRole("link"),
    ).toHaveAttribute("href", "/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam");
    expect(visit.visited).toEqual([]);
  });

  it("discards the result of the form, too", async () => {
    const { shell, user } = await atTheTill();
    await user.click(screen.getByRole("button", { name: "Buy Team" }));
    expect(await screen.findByText("for the office")).toBeVisible();
    await shell.change(signedOut("expired"), "rejected");
    await user.click(screen.getByRole("button", { name: "Not now" }));
    expect(await screen.findByRole("link", { name: "Sign in to buy" })).toBeVisible();
    expect(document.body.innerHTML).not.toContain("for the office");
  });

  it("starts anew for another person, and after a sign-out", async () => {
    const { shell, visit } = await atTheTill();
    await shell.change(signedOut("expired"), "rejected");
    await shell.change(grace, "login");
    expect(await note()).toHaveValue("");
    await act(async () => undefined);
    await shell.change(signedOut("by_user"), "logout");
    await shell.change(grace, "login");
    expect(await note()).toHaveValue("");
    expect(visit.visited, "all on the same page").toEqual([]);
  });

  it("keeps what a guest has typed when the guest signs in", async () => {
    const shell = startShell(signedOut());
    shell.backend(shop);
    await openApp("/payment/?plan=team");
    await screen.findByRole("link", { name: "Sign in to buy" });
    const heading = screen.getByRole("heading", { name: "The Team plan" });
    await shell.change(signedIn(), "login");
    expect(screen.getByRole("heading", { name: "The Team plan" })).toBe(heading);
  });
});

describe("signing in again while offline", () => {
  it("happens in front of the page, which comes back untouched", async () => {
    const { shell, user, visit } = await atWork();
    shell.on("backend_fetch", () => Promise.reject(unreachable));
    await shell.change(offline, "outage");
    await user.click(screen.getByRole("button", { name: "Ada Lovelace, account menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Sign in again" }));
    expect(screen.getByText(/Your session is still held/)).toBeVisible();
    await shell.change(otpPending(), "challenge");
    expect(screen.getByRole("heading", { name: "Enter the code" })).toBeVisible();
    await shell.change(offline, "challenge");
    expect(screen.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Not now" }));
    expect(screen.getByRole("heading", { level: 1, name: "People" })).toBeVisible();
    await act(async () => undefined);
    expect(await search(), "though its list cannot be read again").toHaveValue("grace");
    expect(visit.visited).toEqual([]);
  });

  it("is forgotten on another page", async () => {
    const { shell, user, go } = await atWork();
    await shell.change(offline, "outage");
    await user.click(screen.getByRole("button", { name: "Ada Lovelace, account menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Sign in again" }));
    await go("/account/");
    expect(screen.getByRole("heading", { name: "Account" })).toBeVisible();
  });
});
