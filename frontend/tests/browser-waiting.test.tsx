// The screen while a person signs in in the browser.

import { act, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { openApp } from "./support/app";
import { byBrowser, google, startBrowserShell, unnamed } from "./support/browser";
import { asAdmin, browserPending, refused, reply, signedIn, signedOut } from "./support/states";
import { pass } from "./support/time";

const button = (name: string) => screen.getByRole("button", { name });
const heading = (name: string) => screen.getByRole("heading", { level: 1, name });
const ways = () =>
  screen
    .getAllByRole("button", { name: /Open again|Copy the address|Cancel/ })
    .map(({ textContent }) => textContent);

describe("while a sign-in goes on in the browser, the window", () => {
  it.each([
    ["/auth/login/?next=/account/", "/auth/browser/?next=%2Faccount%2F"],
    ["/auth/otp/?next=/account/", "/auth/browser/?next=%2Faccount%2F"],
    ["/auth/register/", "/auth/browser/"],
    ["/account/", "/auth/browser/?next=%2Faccount%2F"],
  ])("is led from %s to it, also after a reload or in another window", async (at, to) => {
    const shell = startBrowserShell(browserPending({ label: google.label }));
    const { visit } = await openApp(at);
    expect(visit.current).toBe(to);
    expect(heading("Continue in your browser")).toBeVisible();
    expect(screen.getByText("Continue with Google")).toBeVisible();
    expect(document.title).toBe("Continue in your browser · Vestibule");
    expect(shell.begun(), "it has begun already").toEqual([]);
  });

  it.each([
    [signedOut(), "/auth/login/?next=%2Faccount%2F"],
    [signedIn(), "/account/"],
  ])("has no such page otherwise", async (state, to) => {
    startBrowserShell(state).backend({});
    const { visit } = await openApp("/auth/browser/?next=/account/");
    expect(visit.current).toBe(to);
  });

  it("opens it again and copies its address, one call at a time, and says so", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending());
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    expect(heading("Continue in your browser")).toHaveFocus();
    await user.tab();
    expect(button("Open again")).toHaveFocus();
    await user.keyboard("{Enter}{Enter}");
    await pass(0);
    expect(shell.called("open_browser_again")).toHaveLength(1);
    expect(screen.getByText("The page was opened again.")).toHaveAttribute("role", "status");
    await user.dblClick(button("Copy the address"));
    await pass(0);
    expect(shell.called("copy_browser_address")).toHaveLength(1);
    expect(screen.getByText(/^Copied\./)).toHaveAttribute("role", "status");
    expect(screen.queryByText("The page was opened again.")).toBeNull();
    await pass(1000);
    await user.click(button("Open again"));
    expect(shell.called("open_browser_again"), "and once more later").toHaveLength(2);
  });

  it("says why the browser or the clipboard did not work", async () => {
    const shell = startBrowserShell(browserPending());
    shell.on("open_browser_again", () => {
      throw refused("other", "No browser was found.");
    });
    const { user } = await openApp("/auth/browser/");
    await user.click(button("Open again"));
    expect(await screen.findByText("No browser was found.")).toHaveAttribute("role", "status");
    shell.on("copy_browser_address", () => {
      throw refused("browser_sign_in_over", "It is over.");
    });
    await user.click(button("Copy the address"));
    await waitFor(() => expect(screen.queryByText("No browser was found.")).toBeNull());
    expect(screen.queryByText("It is over.")).toBeNull();
  });

  it("says that a browser could not be opened, not before it had the time, and has the copy first", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending({ opened: false }));
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    expect(screen.getByText("Opening your browser…")).toBeVisible();
    await user.tab();
    expect(button("Open again")).toHaveFocus();
    await pass(3000);
    expect(screen.queryByText("Opening your browser…")).toBeNull();
    expect(screen.getByText("Your browser could not be opened")).toBeVisible();
    expect(ways()).toEqual(["Copy the address", "Open again", "Cancel"]);
    expect(button("Open again"), "the focus stays").toHaveFocus();
    await user.keyboard("{Enter}");
    await pass(0);
    expect(screen.queryByText("The page was opened again."), "it was not").toBeNull();
    await shell.change(browserPending({ opened: true }), "browser");
    expect(screen.queryByText("Your browser could not be opened")).toBeNull();
    expect(ways()).toEqual(["Open again", "Copy the address", "Cancel"]);
    expect(button("Open again")).toHaveFocus();
  });

  it("offers a code where no browser opens and the provider has codes, and says why none came", async () => {
    vi.useFakeTimers();
    const offers = byBrowser([google], { device: true });
    const shell = startBrowserShell(browserPending({ opened: false }), offers);
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    expect(screen.queryByRole("button", { name: "Use a code instead" })).toBeNull();
    await pass(3000);
    await user.dblClick(button("Use a code instead"));
    expect(shell.begun()).toEqual([{ device: true }]);
    await shell.change(browserPending({ id: "b2", opened: false, redirect: null }), "browser");
    expect(heading("Sign in on another device")).toHaveFocus();
    expect(screen.getByText("Asking for a code…")).toHaveAttribute("role", "status");
    expect(screen.queryByText("Your browser could not be opened")).toBeNull();
    await user.click(button("Cancel"));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(1);
  });

  it("offers no code where the provider has none", async () => {
    vi.useFakeTimers();
    startBrowserShell(browserPending({ opened: false }));
    await openApp("/auth/browser/", { fakeTimers: true });
    await pass(3000);
    expect(screen.queryByRole("button", { name: "Use a code instead" })).toBeNull();
  });

  it("takes the link that a person pastes where the browser comes back by a scheme", async () => {
    const shell = startBrowserShell(browserPending({ redirect: "scheme" }));
    const answers: unknown[] = [refused("other", "That sign-in is not open any more."), null];
    shell.on("open_link", () => {
      const error = answers.shift();
      if (error) throw error;
      return { kind: "sign_in" };
    });
    const { user } = await openApp("/auth/browser/");
    const field = screen.getByRole("textbox", { name: "Paste the link" });
    await user.click(button("Open the link"));
    expect(field).toHaveAccessibleDescription(/Paste the link from your browser/);
    await user.type(field, "vestibule:/callback?code=c&state=s");
    await user.click(button("Open the link"));
    await waitFor(() => expect(field).toHaveAccessibleDescription(/is not open any more/));
    await user.type(field, "{Enter}");
    await waitFor(() => expect(shell.called("open_link")).toHaveLength(2));
    expect(shell.called("open_link")[0]?.args.link).toBe("vestibule:/callback?code=c&state=s");
    await waitFor(() => expect(field).not.toBeInvalid());
  });

  it("has no such field where the browser comes back to this computer's port", async () => {
    startBrowserShell(browserPending());
    await openApp("/auth/browser/");
    expect(screen.queryByRole("textbox", { name: "Paste the link" })).toBeNull();
  });

  it("says nothing of the kind where the browser opens a little later", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending({ opened: false }));
    await openApp("/auth/browser/", { fakeTimers: true });
    await pass(1000);
    await shell.change(browserPending(), "browser");
    await pass(3000);
    expect(screen.queryByText("Your browser could not be opened")).toBeNull();
  });

  it("gives a hint after half a minute, and the time that is left", async () => {
    vi.useFakeTimers();
    startBrowserShell(browserPending());
    await openApp("/auth/browser/", { fakeTimers: true });
    expect(screen.getByText("10 min")).toBeVisible();
    await pass(29_000);
    expect(screen.queryByText("Nothing happened?")).toBeNull();
    await pass(1000);
    expect(screen.getByText("Nothing happened?").closest("[role=status]")).toBeVisible();
    await pass(90_000);
    expect(screen.getByText("8 min")).toBeVisible();
  });

  it.each([
    ["Escape", "{Escape}"],
    ["the button", "{Tab}{Tab}{Tab}{Enter}"],
  ])("gives it up by %s, and is back at the sign-in page", async (_name, keys) => {
    const shell = startBrowserShell(browserPending());
    const { user, visit } = await openApp("/auth/browser/?next=/account/");
    await user.keyboard(keys);
    await waitFor(() => expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F"));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(1);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("asks once to give it up, however often the person does", async () => {
    const shell = startBrowserShell(browserPending());
    shell.on("cancel_browser_sign_in", () => new Promise(() => undefined));
    const { user } = await openApp("/auth/browser/");
    await user.keyboard("{Escape}{Escape}");
    await user.click(button("Cancel"));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(1);
    expect(button("Cancel")).toHaveAttribute("aria-disabled", "true");
  });

  it("keeps an Escape that closes something else to that", async () => {
    const shell = startBrowserShell(browserPending());
    await openApp("/auth/browser/");
    const used = new KeyboardEvent("keydown", { key: "Escape", cancelable: true });
    used.preventDefault();
    await act(async () => window.dispatchEvent(used));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(0);
  });

  it("says why it could not be given up", async () => {
    const shell = startBrowserShell(browserPending());
    shell.on("cancel_browser_sign_in", () => {
      throw refused("other", "That did not work.");
    });
    const { user } = await openApp("/auth/browser/");
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("alert")).toHaveTextContent("That did not work.");
    expect(button("Cancel")).not.toHaveAttribute("aria-disabled");
  });
});

describe("once the browser is back, the window", () => {
  it("says that the person is being signed in, not before that takes a moment", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending());
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    await shell.change(browserPending({ returned: true }), "browser");
    await pass(299);
    expect(heading("Continue in your browser"), "no flicker").toBeVisible();
    await pass(1);
    expect(heading("Signing you in")).toHaveFocus();
    expect(ways(), "nothing is to be done in the browser").toEqual(["Cancel"]);
    expect(screen.queryByText(/Time left/)).toBeNull();
    await user.click(button("Cancel"));
    expect(shell.called("cancel_browser_sign_in")).toHaveLength(1);
  });

  it("waits again where another sign-in has taken its place", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending({ returned: true }));
    await openApp("/auth/browser/", { fakeTimers: true });
    await pass(300);
    expect(heading("Signing you in")).toBeVisible();
    await shell.change(browserPending({ id: "b2" }), "browser");
    expect(heading("Continue in your browser")).toHaveFocus();
  });
});

describe("when the time of a sign-in is up, the window", () => {
  it("says so and starts again, with the same button", async () => {
    vi.useFakeTimers();
    // Two buttons may have one label.
    const work = { ...google, name: "work" };
    const offers = byBrowser([unnamed, google, work]);
    const shell = startBrowserShell(
      browserPending({ button: work.name, label: work.label, expiresInMs: 5000 }),
      offers,
    );
    const { user } = await openApp("/auth/browser/", { fakeTimers: true });
    await pass(5000);
    expect(heading("The time is up")).toHaveFocus();
    expect(screen.queryByRole("button", { name: "Open again" })).toBeNull();
    await user.dblClick(button("Start again"));
    expect(shell.begun()).toEqual([{ button: "work" }]);
    await shell.change(browserPending({ id: "b2" }), "browser");
    expect(heading("Continue in your browser")).toHaveFocus();
  });

  it("says why it could not start again, and can be left", async () => {
    const shell = startBrowserShell(browserPending({ expiresInMs: 0 }));
    const { user, visit } = await openApp("/auth/browser/");
    await user.click(button("Start again"));
    await act(async () => shell.ends[0]?.reject(refused("other", "The provider does not answer.")));
    expect(screen.getByRole("alert")).toHaveTextContent("The provider does not answer.");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(visit.current).toBe("/auth/login/"));
  });

  it("says so on the sign-in page, if it did not begin the sign-in itself", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending({ expiresInMs: 5000 }));
    await openApp("/auth/browser/", { fakeTimers: true });
    await pass(4900);
    await shell.change(signedOut(), "browser");
    await pass(0);
    expect(screen.getByRole("alert")).toHaveTextContent("The time is up");
    expect(button("Continue with Google")).toHaveFocus();
  });

  it("says nothing of the kind if it was given up elsewhere before that", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(browserPending({ expiresInMs: 60_000 }));
    await openApp("/auth/browser/", { fakeTimers: true });
    await pass(5000);
    await shell.change(signedOut(), "browser");
    expect(heading("Sign in")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says what the core says, if it has begun the sign-in", async () => {
    vi.useFakeTimers();
    const shell = startBrowserShell(signedOut());
    const { user } = await openApp("/auth/login/", { fakeTimers: true });
    await user.click(button("Continue with Google"));
    await shell.change(browserPending({ expiresInMs: 5000 }), "browser");
    await pass(5000);
    await shell.change(signedOut(), "browser");
    await act(async () => shell.ends[0]?.reject(refused("other", "Nobody signed in there.")));
    expect(screen.getByRole("alert")).toHaveTextContent("Nobody signed in there.");
  });
});

describe("a page whose session has ended", () => {
  it("waits behind the sign-in in the browser, and is there again after it", async () => {
    const shell = startBrowserShell(signedIn(asAdmin));
    const people = reply(200, { users: [{ id: "9", name: "Grace Hopper", email: "g@x.y" }] });
    shell.backend({ "GET /admin/users": people });
    const { user, visit } = await openApp("/admin/");
    const search = await screen.findByLabelText("Find by name or e-mail");
    await user.type(search, "grace");
    await shell.change(signedOut("expired"), "rejected");
    expect(screen.getByText(/is kept for ada@example.com/)).toBeVisible();
    await user.click(button("Continue with Google"));
    await shell.change(browserPending(), "browser");
    expect(await screen.findByRole("heading", { name: "Continue in your browser" })).toHaveFocus();
    expect(search).not.toBeVisible();
    shell.on("cancel_browser_sign_in", () => {
      shell.changeNow(signedOut("expired"), "browser");
      return null;
    });
    await user.keyboard("{Escape}");
    expect(await screen.findByText(/Your session has expired/)).toBeVisible();
    await user.click(button("Continue with Google"));
    await shell.change(browserPending({ id: "b2" }), "browser");
    await shell.change(signedIn(asAdmin), "browser");
    expect(search).toBeVisible();
    expect(search).toHaveValue("grace");
    expect(visit.visited).toEqual([]);
  });
});
