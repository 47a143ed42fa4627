import { act, screen, waitFor, within } from "@testing-library/react";
import { type Obstacle, WORDS } from "vestibule";
import { describe, expect, it, vi } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { ada, refused, signedIn, signedOut, stale } from "./support/states";
import { pass } from "./support/time";

const menu = () => screen.findByRole("button", { name: "Ada Lovelace, account menu" });
const header = () => within(screen.getByRole("banner"));

describe("the header", () => {
  it("offers a way in to someone signed out", async () => {
    startShell(signedOut());
    await openApp("/");
    expect(header().getByRole("link", { name: "Sign in" })).toHaveAttribute("href", "/auth/login/");
    expect(header().getByRole("link", { name: "Create account" })).toBeVisible();
    expect(screen.queryByRole("button", { name: /account menu/ })).toBeNull();
  });

  it("shows the user, and the pages by keyboard from a menu", async () => {
    startShell(signedIn()).backend({});
    const { user, visit } = await openApp("/");
    expect(header().queryByRole("link", { name: "Sign in" })).toBeNull();
    (await menu()).focus();
    await user.keyboard("{Enter}");
    const items = (await screen.findAllByRole("menuitem")).map(({ textContent }) => textContent);
    expect(items).toEqual(["Account", "New windowCtrl+N", "Sign out"]);
    expect(screen.getByRole("menu")).toHaveTextContent("ada@example.com");
    await user.keyboard("{ArrowDown}{Enter}");
    expect(["/account/", "/"]).toContain(visit.current);
  });

  it("follows a change of name at once", async () => {
    const shell = startShell(signedIn());
    await openApp("/");
    await shell.change(signedIn({ user: { name: "Ada King" } }));
    expect(screen.getByRole("button", { name: "Ada King, account menu" })).toBeVisible();
  });

  it("shows initials for a remote picture, which the policy would block, and a data: one", async () => {
    startShell(signedIn({ user: { image: "https://img.example.com/ada.png" } }));
    await openApp("/");
    expect(await menu()).toHaveTextContent("AL");
    expect(document.querySelector("img")).toBeNull();
  });

  it("marks the current page and skips to the content", async () => {
    startShell(signedIn()).backend({});
    const { user } = await openApp("/payment/");
    expect(header().getByRole("link", { name: "Plans" })).toHaveAttribute("aria-current", "page");
    expect(header().getByRole("link", { name: "Dashboard" })).not.toHaveAttribute("aria-current");
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    await user.tab();
    expect(screen.getByRole("link", { name: "Skip to content" })).toHaveFocus();
    expect(screen.getByRole("main")).toHaveAttribute("id", "main");
  });

  it("opens another window, and says so when it cannot", async () => {
    const shell = startShell(signedIn());
    const { user } = await openApp("/");
    await user.click(await menu());
    await user.click(await screen.findByRole("menuitem", { name: "New window" }));
    await waitFor(() => expect(shell.called("new_window")).toHaveLength(1));
    shell.on("new_window", () => {
      throw refused("internal");
    });
    await user.click(await menu());
    await user.click(await screen.findByRole("menuitem", { name: "New window" }));
    expect(await screen.findByText(/Something went wrong inside the app/)).toBeVisible();
  });
});

describe("signing out", () => {
  const signOut = async (user: Awaited<ReturnType<typeof openApp>>["user"]) => {
    await user.click(await menu());
    await user.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  };

  it("leads home from a public page, and says so", async () => {
    const shell = startShell(signedIn());
    shell.backend({});
    const { user, visit } = await openApp("/payment/");
    await signOut(user);
    await waitFor(() => expect(visit.current).toBe("/"));
    expect(await screen.findByText("You have signed out.")).toBeVisible();
    expect(shell.called("logout")).toHaveLength(1);
  });

  it("is no longer told of once somebody is signed in", async () => {
    const shell = startShell(signedIn());
    shell.backend({});
    const { user } = await openApp("/payment/");
    await signOut(user);
    const told = await screen.findByText("You have signed out.");
    await shell.change(signedIn(), "login");
    await waitFor(() => expect(told).not.toBeInTheDocument());
  });

  it("leads to the sign-in page from a guarded one, which is then done with", async () => {
    startShell(signedIn()).backend({});
    const { user, visit } = await openApp("/dashboard/");
    await signOut(user);
    await screen.findByRole("heading", { name: "Sign in" });
    expect(visit.visited).toEqual(["/auth/login/"]);
  });

  it("in another window is followed here", async () => {
    const shell = startShell(signedIn());
    shell.backend({});
    const { visit } = await openApp("/account/");
    await shell.change(signedOut("by_user"), "logout");
    expect(visit.current).toBe("/auth/login/");
    expect(screen.queryByText("ada@example.com")).toBeNull();
    expect(shell.called("logout"), "it is done already").toHaveLength(0);
  });

  it("works offline", async () => {
    startShell(stale());
    const { user } = await openApp("/");
    await signOut(user);
    expect(await header().findByRole("link", { name: "Sign in" })).toBeVisible();
  });
});

describe("a guarded page", () => {
  it("sends to the sign-in page and back", async () => {
    const shell = startShell(signedOut("by_user"));
    shell.backend({});
    const { visit } = await openApp("/account/");
    expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F");
    await shell.change(signedIn(), "login");
    expect(visit.current).toBe("/account/");
    expect(screen.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
  });

  it("opens offline", async () => {
    startShell(stale());
    const { visit } = await openApp("/dashboard/");
    expect(visit.visited).toEqual([]);
    expect(screen.getByRole("heading", { level: 1, name: /Ada$/ })).toBeVisible();
  });

  it("puts focus on its heading when reached within the app, not at the start", async () => {
    startShell(signedIn()).backend({});
    const { go } = await openApp("/dashboard/");
    await go("/payment/");
    expect(screen.getByRole("heading", { level: 1, name: "Plans" })).toHaveFocus();
    expect(document.title).toBe("Plans · Vestibule");
  });
});

describe("the banners", () => {
  it("say since when the server is out of reach, and when the next try is", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-23T14:03:00") });
    const shell = startShell(stale(12_000));
    await openApp("/", { fakeTimers: true });
    expect(screen.getByText(/Offline since .*03/)).toHaveTextContent("You stay signed in.");
    expect(screen.getByText("Next try in 12 s.")).toBeVisible();
    await pass(2000);
    expect(screen.getByText("Next try in 10 s.")).toBeVisible();
    act(() => screen.getByRole("button", { name: "Try now" }).click());
    await pass(0);
    expect(shell.called("refresh")).toHaveLength(1);
    await shell.change(stale(null), "outage");
    expect(screen.getByText("Reconnecting…")).toBeVisible();
    await shell.change(signedIn(), "refresh");
    expect(screen.queryByText(/Offline since/)).toBeNull();
    await pass(100);
    expect(screen.getByText("You are back online.")).toBeInTheDocument();
  });

  it("explain an ended session on a public page, and offer the way back to it", async () => {
    startShell(signedOut("revoked")).backend({});
    const { user, visit } = await openApp("/payment/?plan=team");
    expect(screen.getByText(/You were signed out from elsewhere/)).toBeVisible();
    expect(header().getByRole("link", { name: "Sign in" })).toHaveAttribute(
      "href",
      "/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam",
    );
    await user.click(screen.getByRole("link", { name: "Sign in again" }));
    expect(visit.current).toBe("/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam");
  });

  it("say so when the server asks to wait, and do not ask it before that", async () => {
    vi.useFakeTimers();
    const shell = startShell(stale(60_000));
    shell.on("refresh", () => {
      throw refused("rate_limited", "", 60_000);
    });
    await openApp("/", { fakeTimers: true });
    act(() => screen.getByRole("button", { name: "Try now" }).click());
    await pass(0);
    const asked = screen.getByRole("button", { name: "The server asks to wait 60 s" });
    expect(asked).toBeDisabled();
    await pass(10_000);
    expect(asked).toBeDisabled();
    await pass(50_000);
    expect(screen.getByRole("button", { name: "Try now" })).toBeEnabled();
    expect(shell.called("refresh")).toHaveLength(1);
  });

  it("do not blame the server for the app's own pause", async () => {
    vi.useFakeTimers();
    const shell = startShell(stale(60_000));
    shell.on("refresh", () => {
      throw refused("busy", "", 5000);
    });
    await openApp("/", { fakeTimers: true });
    act(() => screen.getByRole("button", { name: "Try now" }).click());
    await pass(0);
    expect(screen.getByRole("button", { name: "Try now" })).toBeDisabled();
    expect(screen.queryByText(/asks to wait/)).toBeNull();
  });

  it("say what keeps the app from its server, and who can help, in the words of the core", async () => {
    const shell = startShell(stale(60_000));
    await openApp("/");
    for (const [why, { problem, advice }] of Object.entries(WORDS.obstacles)) {
      await shell.change(stale(60_000, why as Obstacle));
      const banner = screen.getByRole("region", { name: "Connection" });
      expect(banner).toHaveTextContent(`You stay signed in. ${problem}. ${advice}.`);
    }
  });

  it("name the day of an outage that began on another", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-23T14:03:00") });
    startShell(
      signedIn({
        freshness: {
          kind: "stale",
          since: new Date("2026-11-21T09:15:00").getTime(),
          retryInMs: null,
          why: null,
        },
      }),
    );
    await openApp("/", { fakeTimers: true });
    expect(screen.getByText(/Offline since .*21.*9:15/)).toBeVisible();
  });

  it("are silent when all is well", async () => {
    startShell(signedIn({ user: ada }));
    await openApp("/");
    expect(screen.queryByRole("status")).toBeNull();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
