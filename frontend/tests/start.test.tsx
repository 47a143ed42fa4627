import { act, render, screen } from "@testing-library/react";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { auth, vestibule } from "@/lib/vestibule";
import { startShell } from "@/vestibule/tests/support/shell";
import { App, newVisit, openApp } from "./support/app";
import { refused, restoring, signedIn, signedOut, stale } from "./support/states";
import { pass } from "./support/time";

const PATHS = ["/", "/auth/login/", "/auth/register/", "/dashboard/", "/payment/", "/account/"];

/** Collects everything that was ever in the page, even where it was removed before a paint. */
function record() {
  const seen: string[] = [document.body.innerHTML];
  const observer = new MutationObserver((changes) => {
    for (const { target, addedNodes, removedNodes } of changes) {
      // A node that was added and removed between two callbacks is among the removed nodes.
      for (const node of [...addedNodes, ...removedNodes]) {
        seen.push(node instanceof Element ? node.outerHTML : (node.textContent ?? ""));
      }
      if (addedNodes.length === 0 && target instanceof Element) seen.push(target.outerHTML);
    }
  });
  observer.observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
  return () => {
    observer.disconnect();
    return seen.join("\n");
  };
}

describe("the exported page", () => {
  it.each(PATHS)("%s holds neither a way in nor anything guarded", (path) => {
    vestibule.snapshots.stop();
    const html = renderToString(<App at={path} visit={newVisit(path)} />);
    expect(html).toContain("<title>Vestibule</title>");
    expect(html).not.toMatch(/sign|account|password|e-mail|dashboard|plans|<a |<input|<form/i);
  });
});

describe("fifty starts", () => {
  it.each(PATHS)("signed in at %s: the login link and form are never in the page", async (path) => {
    for (let start = 0; start < 50; start += 1) {
      const shell = startShell([signedIn(), stale(), restoring()][start % 3] ?? signedIn());
      shell.backend({});
      const stop = record();
      const { view } = await openApp(path);
      if (start % 3 === 2) await shell.change(signedIn(), "start");
      screen.getByLabelText("Ada Lovelace, account menu");
      const seen = stop();
      expect(seen).not.toContain("/auth/login");
      expect(seen).not.toMatch(/type="password"|Create account/);
      view.unmount();
      vestibule.snapshots.stop();
    }
  });

  it.each(["/dashboard/", "/account/", "/admin/"])(
    "signed out at %s: its content is never there",
    async (path) => {
      for (let start = 0; start < 50; start += 1) {
        const shell = startShell(start % 2 ? signedOut() : restoring());
        const stop = record();
        const { view, visit } = await openApp(path);
        if (start % 2 === 0) await shell.change(signedOut(), "start");
        expect(view.container.querySelector("h1")).toHaveTextContent("Sign in");
        expect(stop()).not.toMatch(
          /Your session|Your roles|Profile|Appearance|signed in as|Accounts|Export|not for your/i,
        );
        expect(visit.visited).toEqual([`/auth/login/?next=${encodeURIComponent(path)}`]);
        view.unmount();
        vestibule.snapshots.stop();
      }
    },
  );
});

describe("the gate", () => {
  it("asks for the window once the session is known, without waiting for a frame", async () => {
    const frame = vi.spyOn(window, "requestAnimationFrame");
    const shell = startShell(restoring());
    await openApp("/");
    expect(shell.called("window_ready"), "the first second stays hidden").toHaveLength(0);
    frame.mockClear();
    await shell.change(signedIn());
    expect(shell.called("window_ready")).toHaveLength(1);
    await shell.change(stale(), "outage");
    expect(shell.called("window_ready"), "once is enough").toHaveLength(1);
  });

  it("is calm at first, and says what it does after a second", async () => {
    vi.useFakeTimers();
    startShell(restoring());
    void auth.start();
    render(<App at="/dashboard/" visit={newVisit("/dashboard/")} />);
    await pass(900);
    expect(screen.queryByText(/Opening/)).toBeNull();
    await pass(200);
    expect(screen.getByRole("status")).toHaveTextContent("Opening Vestibule…");
  });

  it("says what is awaited where nobody knows whose the session is, and shows nobody", async () => {
    vi.useFakeTimers();
    const shell = startShell(restoring({ since: Date.now(), retryInMs: 42_000, why: null }, true));
    void auth.start();
    const visit = newVisit("/dashboard/");
    render(<App at="/dashboard/" visit={visit} />);
    await pass(0);
    const title = "Waiting for the server to say who you are";
    expect(screen.getByRole("heading", { name: title })).toBeVisible();
    expect(screen.getByText("Next try in 42 s.")).toBeVisible();
    act(() => screen.getByRole("button", { name: "Try again" }).click());
    await pass(0);
    expect(shell.called("refresh")).toHaveLength(1);
    act(() => screen.getByRole("button", { name: "Sign in as somebody else" }).click());
    await pass(0);
    expect(visit.current).toBe("/auth/login/");
  });

  it("explains an outage without a known user, counts down, and offers two ways on", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-23T14:03:00") });
    const shell = startShell(restoring({ since: Date.now(), retryInMs: 42_000, why: null }));
    void auth.start();
    const visit = newVisit("/dashboard/");
    render(<App at="/dashboard/" visit={visit} />);
    await pass(2000);
    expect(screen.getByRole("heading", { name: "The server cannot be reached" })).toBeVisible();
    expect(screen.getByText(/No answer since .*03/)).toHaveTextContent("You are not signed out");
    expect(screen.getByText("Next try in 40 s.")).toBeVisible();
    expect(shell.called("window_ready")).toHaveLength(1);

    const tryNow = screen.getByRole("button", { name: "Try now" });
    act(() => tryNow.click());
    act(() => tryNow.click());
    await pass(0);
    expect(shell.called("refresh"), "at most one try in five seconds").toHaveLength(1);
    expect(tryNow).toBeDisabled();
    await pass(5000);
    expect(tryNow).toBeEnabled();

    act(() => screen.getByRole("button", { name: "Sign in again" }).click());
    await pass(0);
    expect(visit.current).toBe("/auth/login/");
    expect(screen.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    expect(screen.getByText(/Your session is still held/)).toBeVisible();
    await act(async () => shell.changeNow(signedIn()));
    expect(visit.current, "an answer after all ends the detour").toBe("/dashboard/");
  });

  it("says so when the app does not answer, and tries again", async () => {
    const shell = startShell(signedIn());
    const answer = shell.handler("session");
    shell.on("session", () => {
      throw refused("internal", "the core is not up");
    });
    const { user } = await openApp("/");
    expect(screen.getByRole("alert")).toHaveTextContent("the core is not up");
    expect(shell.called("window_ready")).toHaveLength(1);
    shell.on("session", answer);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("heading", { name: /Welcome back, Ada/ })).toBeVisible();
  });

  it("names the mistake in a settings file, and goes on once it is put right", async () => {
    const shell = startShell(signedIn());
    const answer = shell.handler("session");
    const mistake = "profile.toml: `bakend` is not a key here; did you mean `backend`?";
    shell.on("session", () => {
      throw refused("misconfigured", mistake);
    });
    const { user } = await openApp("/dashboard/");
    expect(
      screen.getByRole("heading", { name: "Vestibule is not set up correctly" }),
    ).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent(mistake);
    expect(screen.getByRole("alert")).toHaveTextContent("your session is kept");
    expect(screen.queryByRole("link", { name: /sign in/i })).toBeNull();
    expect(shell.called("window_ready"), "it is shown").toHaveLength(1);
    shell.on("session", answer);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("heading", { name: /Ada/ })).toBeVisible();
  });

  it("says what keeps the app from starting, and goes on once that is put right", async () => {
    const shell = startShell(signedIn());
    const answer = shell.handler("session");
    const why = "The folder /home/ada/data cannot be used: Permission denied.";
    shell.on("session", () => {
      throw refused("cannot_start", why);
    });
    const { user } = await openApp("/dashboard/");
    expect(screen.getByRole("heading", { name: "Vestibule cannot start" })).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent(why);
    expect(screen.queryByText(/settings files has a mistake/)).toBeNull();
    expect(screen.queryByRole("link", { name: /sign in/i })).toBeNull();
    expect(shell.called("window_ready"), "it is shown").toHaveLength(1);
    shell.on("session", answer);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("heading", { name: /Ada/ })).toBeVisible();
  });

  it("tells a browser that this page is part of the app", async () => {
    Reflect.deleteProperty(window, "__TAURI_INTERNALS__");
    await openApp("/auth/login/");
    expect(
      screen.getByRole("heading", { name: "This page is part of the Vestibule desktop app" }),
    ).toBeVisible();
  });

  it("says that an unknown address does not exist, though Tauri serves the start page there", async () => {
    startShell(signedIn());
    await openApp("/nowhere/");
    expect(screen.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  });
});
