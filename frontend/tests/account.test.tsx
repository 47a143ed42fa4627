import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import {
  listedSession,
  refused,
  reply,
  signedIn,
  signedOut,
  stale,
  unreachable,
} from "./support/states";

const now = Date.now();
const here = listedSession("a", {
  os: "Debian 12",
  browser: "Vestibule 1.2.3",
  address: "10.0.0.1",
  createdAt: now,
  lastUsedAt: now,
  current: true,
});
const there = listedSession("b", { os: "macOS 15", lastUsedAt: now });

function shellWithSessions(sessions = [here, there], leftOut = 0) {
  const shell = startShell(signedIn({ user: { roles: ["user", "editor"] } }));
  shell.on("sessions", () => ({ sessions, leftOut }));
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

  it("says of each session what is known of it, and that the rest is not", async () => {
    const sessions = [
      listedSession("1", { name: "Laptop", createdAt: Date.parse("2026-11-20T10:00:00Z") }),
      listedSession("2", { userAgent: "curl/7.88.1", lastUsedAt: now, address: "10.0.0.2" }),
      listedSession("3"),
    ];
    shellWithSessions(sessions, 3);
    await openApp("/account/");
    const list = await screen.findByRole("list", { name: "Sessions" });
    const [laptop, curl, unknown] = within(list).getAllByRole("listitem");
    expect(laptop).toHaveTextContent(/Laptop.*Last used: unknown, signed in .*2026/);
    expect(curl).toHaveTextContent(/curl\/7\.88\.1.*Last used today.*10\.0\.0\.2/);
    expect(unknown).toHaveTextContent("An unknown deviceLast used: unknown");
    expect(
      screen.getByText("The server lists 3 more sessions, which are not shown."),
    ).toBeVisible();
  });

  it.each([
    [0, null],
    [1, "The server lists one more session, which is not shown."],
  ])("says that no session can be shown where %s are left out", async (leftOut, words) => {
    shellWithSessions([], leftOut);
    await openApp("/account/");
    expect(await screen.findByText("The server lists no session that can be shown.")).toBeVisible();
    expect(screen.queryByRole("list", { name: "Sessions" })).toBeNull();
    if (words) expect(screen.getByText(words)).toBeVisible();
  });

  it("lists the sessions and ends one after a question", async () => {
    const shell = shellWithSessions();
    const { user } = await openApp("/account/");
    expect(await screen.findByText("Vestibule 1.2.3 on Debian 12")).toBeVisible();
    const list = within(screen.getByRole("region", { name: "Where you are signed in" }));
    expect(list.getByText("This session"), "its own cannot be ended here").toBeVisible();
    expect(list.getAllByRole("button", { name: /^End/ })).toHaveLength(1);
    await user.click(await end());
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(shell.called("end_session")).toHaveLength(0);
    const button = await end();
    await waitFor(() => expect(button, "where one was").toHaveFocus());

    await user.click(await end());
    const dialog = screen.getByRole("alertdialog", { name: "End this session?" });
    expect(dialog).toHaveAccessibleDescription("macOS 15 will have to sign in again.");
    shell.on("end_session", () => {
      shell.on("sessions", () => ({ sessions: [here], leftOut: 0 }));
      return null;
    });
    await user.click(within(dialog).getByRole("button", { name: "End session" }));
    await waitFor(() => expect(screen.queryByText("macOS 15")).toBeNull());
    expect(shell.called("end_session")[0]?.args).toEqual({ id: "b" });
    expect(shell.called("sessions"), "the list is read anew").toHaveLength(2);
    expect(shell.requests(), "the page itself asks nothing").toHaveLength(0);
    expect(screen.getByText("Vestibule 1.2.3 on Debian 12")).toBeVisible();
    const rest = screen.getByRole("list", { name: "Sessions" });
    await waitFor(() => expect(rest, "its button is gone").toHaveFocus());
  });

  it("keeps the question open and says why when a session could not be ended", async () => {
    shellWithSessions().on("end_session", () => {
      throw unreachable;
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
    const shell = shellWithSessions();
    shell.backend({ "POST /logout-all": reply(204) });
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
    const shell = shellWithSessions();
    shell.backend({ "POST /logout-all": reply(500) });
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
    const shell = shellWithSessions();
    shell.backend({ "POST /logout-all": answer });
    const { user } = await openApp("/account/");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    const dialog = screen.getByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent(words);
    expect(shell.called("logout"), "the other devices are still in").toHaveLength(0);
  });

  it("ends all other sessions where the server can, and stays signed in", async () => {
    const shell = startShell(signedIn(), { endOtherSessions: true, endSession: false });
    shell.on("sessions", () => ({ sessions: [here, there], leftOut: 0 }));
    const { user } = await openApp("/account/");
    await screen.findByText("macOS 15");
    expect(screen.queryByRole("button", { name: /^End the session/ })).toBeNull();
    await user.click(screen.getByRole("button", { name: "End all others" }));
    const dialog = within(screen.getByRole("alertdialog", { name: "End all other sessions?" }));
    shell.on("end_other_sessions", () => {
      shell.on("sessions", () => ({ sessions: [here], leftOut: 0 }));
      return null;
    });
    await user.click(dialog.getByRole("button", { name: "End all others" }));
    await waitFor(() => expect(screen.queryByText("macOS 15")).toBeNull());
    expect(shell.called("logout")).toHaveLength(0);
  });

  it("says why the list could not be read, and reads it again", async () => {
    const shell = startShell(signedIn());
    shell.on("sessions", () => {
      throw unreachable;
    });
    const { user } = await openApp("/account/");
    const card = within(screen.getByRole("region", { name: "Where you are signed in" }));
    expect(await card.findByRole("alert")).toHaveTextContent("cannot be reached");
    shell.on("sessions", () => ({ sessions: [here], leftOut: 0 }));
    await user.click(card.getByRole("button", { name: "Try again" }));
    expect(await card.findByText("Vestibule 1.2.3 on Debian 12")).toBeVisible();
  });

  it("copes with a server that has no such list", async () => {
    startShell(signedIn()).on("sessions", () => {
      throw refused("unsupported");
    });
    await openApp("/account/");
    expect(await screen.findByText("This server does not list sessions.")).toBeVisible();
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
