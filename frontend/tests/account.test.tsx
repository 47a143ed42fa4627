import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, reply, signedIn, signedOut, stale, unreachable } from "./support/states";

const now = new Date().toISOString();
const here = {
  id: "a",
  device: { fingerprint: "f", os: "Debian 12", browser: "Vestibule 1.2.3" },
  createdAt: now,
  lastUsedAt: now,
  current: true,
};
const there = {
  ...here,
  id: "b/c",
  device: { os: { type: "macOS", version: "15" } },
  current: false,
};

function shellWithSessions(more = {}) {
  const shell = startShell(signedIn({ user: { roles: ["user", "editor"] } }));
  shell.backend({ "GET /sessions": reply(200, [here, there]), ...more });
  return shell;
}

const end = () => screen.findByRole("button", { name: "End the session on macOS 15" });

describe("the account page", () => {
  it("shows the profile, the roles, this session and the app", async () => {
    shellWithSessions();
    await openApp("/account/");
    expect(screen.getByRole("region", { name: "Profile" })).toHaveTextContent("ada@example.com");
    expect(screen.getByRole("region", { name: "Profile" })).toHaveTextContent("usereditor");
    expect(await screen.findByText("https://api.example.com")).toBeVisible();
    expect(screen.getByText("1.2.3")).toBeVisible();
    expect(screen.getByText("The system's keyring")).toBeVisible();
  });

  it("lists sessions in the shapes that servers have, and leaves out what it cannot read", async () => {
    const seconds = Date.parse("2026-11-20T10:00:00Z") / 1000;
    const sessions = [
      { id: 42, device: "Laptop", createdAt: seconds, lastUsedAt: null },
      { _id: "x7", device: "Phone", createdAt: "2026-11-20T10:00:00Z", lastUsedAt: seconds },
      { device: "Ghost", createdAt: seconds },
      "nonsense",
    ];
    startShell(signedIn()).backend({ "GET /sessions": reply(200, { sessions }) });
    await openApp("/account/");
    const list = await screen.findByRole("list", { name: "Sessions" });
    expect(list.children).toHaveLength(2);
    expect(list).toHaveTextContent(/Laptop.*Signed in.*Phone.*Last used/);
    expect(list).not.toHaveTextContent("Ghost");
    expect(list, "seconds are no milliseconds").not.toHaveTextContent("1970");
  });

  it("lists the sessions and ends one after a question", async () => {
    const shell = shellWithSessions({ "DELETE /sessions/b%2Fc": reply(204) });
    const { user } = await openApp("/account/");
    expect(await screen.findByText("Vestibule 1.2.3 on Debian 12")).toBeVisible();
    const list = within(screen.getByRole("region", { name: "Where you are signed in" }));
    expect(list.getByText("This session"), "its own cannot be ended here").toBeVisible();
    expect(list.getAllByRole("button", { name: /^End/ })).toHaveLength(1);
    await user.click(await end());
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(shell.requests().some(({ method }) => method === "DELETE")).toBe(false);
    const button = await end();
    await waitFor(() => expect(button, "where one was").toHaveFocus());

    await user.click(await end());
    const dialog = screen.getByRole("alertdialog", { name: "End this session?" });
    expect(dialog).toHaveAccessibleDescription("macOS 15 will have to sign in again.");
    await user.click(within(dialog).getByRole("button", { name: "End session" }));
    await waitFor(() => expect(screen.queryByText("macOS 15")).toBeNull());
    expect(screen.getByText("Vestibule 1.2.3 on Debian 12")).toBeVisible();
    const rest = screen.getByRole("list", { name: "Sessions" });
    await waitFor(() => expect(rest, "its button is gone").toHaveFocus());
  });

  it("keeps the question open and says why when a session could not be ended", async () => {
    shellWithSessions({
      "DELETE /sessions/b%2Fc": () => {
        throw unreachable;
      },
    });
    const { user } = await openApp("/account/");
    await user.click(await end());
    await user.click(screen.getByRole("button", { name: "End session" }));
    const dialog = await screen.findByRole("alertdialog");
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("cannot be reached");
    await user.keyboard("{Escape}");
    const button = await end();
    await waitFor(() => expect(button).toHaveFocus());
  });

  it("signs out everywhere: the server first, then here", async () => {
    const shell = shellWithSessions({ "POST /logout-all": reply(204) });
    const { user, visit } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
    await waitFor(() => expect(visit.current).toBe("/auth/login/"));
    const order = shell.calls
      .map(({ command, args }) =>
        command === "backend_fetch" ? (args.request as { path: string }).path : command,
      )
      .filter((name) => name === "/logout-all" || name === "logout");
    expect(order).toEqual(["/logout-all", "logout"]);
  });

  it("does not sign out here when the server could not end the others", async () => {
    const shell = shellWithSessions({ "POST /logout-all": reply(500) });
    const { user } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("The server had a problem");
    expect(shell.called("logout")).toHaveLength(0);
  });

  it.each([
    ["refuses the session", reply(401, { message: "no" }), "does not accept your session"],
    ["has no such call", reply(404), "does not offer this"],
  ])("takes nothing for done when a server %s", async (_name, answer, words) => {
    const shell = shellWithSessions({ "POST /logout-all": answer });
    const { user } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent(words);
    expect(shell.called("logout"), "the other devices are still in").toHaveLength(0);
  });

  it("asks the list what a 404 means: the session that is gone has ended", async () => {
    const shell = shellWithSessions({ "DELETE /sessions/b%2Fc": reply(404) });
    const { user } = await openApp("/account/");
    await user.click(await end());
    await user.click(screen.getByRole("button", { name: "End session" }));
    const dialog = await screen.findByRole("alertdialog");
    expect(
      await within(dialog).findByRole("alert"),
      "it is listed, so nothing has ended it",
    ).toHaveTextContent("does not offer this");
    shell.backend({ "GET /sessions": reply(200, [here]), "DELETE /sessions/b%2Fc": reply(404) });
    await user.click(within(dialog).getByRole("button", { name: "End session" }));
    await waitFor(() => expect(screen.queryByText("macOS 15")).toBeNull());
  });

  it.each([
    ["has no such list", reply(404), /does not list sessions/],
    ["answers nonsense", reply(200, { sessions: "many" }), /does not understand/],
  ])("copes with a server that %s", async (_name, answer, words) => {
    startShell(signedIn()).backend({ "GET /sessions": answer });
    await openApp("/account/");
    expect(await screen.findByText(words)).toBeVisible();
  });

  it("changes the theme, and puts it back when that fails", async () => {
    const shell = shellWithSessions();
    const { user } = await openApp("/account/");
    const dark = screen.getByRole("radio", { name: "Dark" });
    await waitFor(() => expect(screen.getByRole("radio", { name: "System" })).toBeChecked());
    await user.click(dark);
    await waitFor(() =>
      expect(shell.called("set_theme").map(({ args }) => args)).toEqual([{ theme: "dark" }]),
    );
    expect(dark).toBeChecked();
    shell.on("set_theme", () => {
      throw refused("internal");
    });
    await user.click(screen.getByRole("radio", { name: "Light" }));
    await waitFor(() => expect(dark).toBeChecked());
  });

  it("follows a theme that was chosen in another window", async () => {
    const shell = shellWithSessions();
    await openApp("/account/");
    await waitFor(() => expect(screen.getByRole("radio", { name: "System" })).toBeChecked());
    shell.on("theme", () => "dark");
    act(() => void window.dispatchEvent(new Event("focus")));
    await waitFor(() => expect(screen.getByRole("radio", { name: "Dark" })).toBeChecked());
  });

  it("is guarded", async () => {
    const shell = startShell(signedOut());
    const { visit } = await openApp("/account/");
    expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F");
    expect(shell.requests(), "nothing of it is even asked for").toHaveLength(0);
  });
});

describe("the dashboard", () => {
  it("says where the roles come from while they are provisional", async () => {
    const shell = startShell(signedIn());
    await openApp("/dashboard/");
    const card = screen.getByRole("region", { name: "Your roles" });
    expect(card).not.toHaveTextContent("As the server last said");
    await shell.change(stale(), "outage");
    expect(card).toHaveTextContent("As the server last said");
  });

  it("says how the session stands", async () => {
    const shell = startShell(signedIn());
    await openApp("/dashboard/");
    const card = screen.getByRole("region", { name: "Your session" });
    expect(card).toHaveTextContent("Online");
    await shell.change(
      signedIn({
        freshness: { kind: "stale", since: Date.now(), retryInMs: null, why: null },
        remembered: false,
      }),
    );
    expect(card).toHaveTextContent("Offline");
    expect(card).toHaveTextContent("Sign in again");
  });
});
