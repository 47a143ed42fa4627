import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { type Shell, startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { asAdmin, reply, signedIn, signedOut, unreachable } from "./support/states";

const people = reply(200, {
  users: [
    { id: "9", name: "Grace Hopper", email: "g@x.y", roles: ["user"] },
    { id: "8", name: "Blaise Blocked", email: "b@x.y", blocked: true },
  ],
});
const NOT_YOURS = "This page is not for your account";

const notYours = () => screen.findByRole("heading", { name: NOT_YOURS });

function startAsAdmin() {
  const shell = startShell(signedIn(asAdmin));
  shell.backend({ "GET /admin/users": people });
  return shell;
}

describe("the way to the administrators' page", () => {
  it("is shown to users who have the right, and only to them", async () => {
    const shell = startAsAdmin();
    await openApp("/dashboard/");
    const nav = within(screen.getByRole("navigation", { name: "Main" }));
    expect(nav.getByRole("link", { name: "People" })).toHaveAttribute("href", "/admin/");
    expect(screen.getByRole("region", { name: "People" })).toBeVisible();
    await shell.change(signedIn());
    expect(nav.queryByRole("link", { name: "People" })).toBeNull();
    expect(screen.queryByRole("region", { name: "People" })).toBeNull();
    await shell.change(signedIn(asAdmin));
    expect(nav.getByRole("link", { name: "People" })).toBeVisible();
    await shell.change(signedOut("by_user"), "logout");
    expect(nav.queryByRole("link", { name: "People" })).toBeNull();
  });
});

describe("the administrators' page", () => {
  it("shows everyone to administrators", async () => {
    startAsAdmin();
    const { user } = await openApp("/admin/");
    expect(await screen.findByText("Grace Hopper")).toBeVisible();
    expect(screen.getByText("Blaise Blocked")).toBeVisible();
    expect(screen.getByText("blocked")).toBeVisible();
    await user.type(screen.getByLabelText("Find by name or e-mail"), "grace");
    expect(screen.queryByText("Blaise Blocked")).toBeNull();
    expect(document.title).toBe("People · Vestibule");
  });

  it("asks a person who is signed out to sign in, and leads back", async () => {
    const shell = startShell(signedOut());
    const { visit } = await openApp("/admin/");
    expect(visit.current).toBe("/auth/login/?next=%2Fadmin%2F");
    expect(shell.requests()).toHaveLength(0);
  });

  it("is not for a plain account: nothing of it is shown or asked for", async () => {
    const shell = startShell(signedIn());
    shell.backend({ "GET /admin/users": people });
    const { visit } = await openApp("/admin/");
    expect(await notYours()).toBeVisible();
    expect(screen.getByText("ada@example.com", { selector: "main *" })).toBeVisible();
    expect(screen.queryByRole("heading", { name: "People" })).toBeNull();
    expect(shell.requests()).toHaveLength(0);
    expect(visit.visited).toEqual([]);
    expect(document.title).toBe("Not for your account · Vestibule");
  });

  it("closes when the role is taken away, and opens when it is given", async () => {
    const shell = startAsAdmin();
    await openApp("/admin/");
    expect(await screen.findByText("Grace Hopper")).toBeVisible();
    await shell.change(signedIn());
    expect(await notYours()).toBeVisible();
    expect(document.body.innerHTML).not.toContain("Grace Hopper");
    await shell.change(signedIn(asAdmin));
    expect(await screen.findByText("Grace Hopper")).toBeVisible();
  });

  it("says so when the server refuses, which has the last word", async () => {
    const shell = startAsAdmin();
    shell.backend({ "GET /admin/users": reply(403, { message: "no", code: "FORBIDDEN" }) });
    await openApp("/admin/");
    const accounts = within(screen.getByRole("region", { name: "Accounts" }));
    expect(
      await accounts.findByText(/Your account may not do this, the server says/),
    ).toBeVisible();
    // The shell has read the roles again in the meantime.
    await shell.change(signedIn());
    expect(await notYours()).toBeVisible();
  });
});

describe("asking the server again", () => {
  async function asked(answer: (shell: Shell) => unknown) {
    const shell = startShell(signedIn());
    shell.backend({ "GET /admin/users": people });
    shell.on("refresh", () => answer(shell));
    const { user } = await openApp("/admin/");
    await user.click(await screen.findByRole("button", { name: "Ask the server again" }));
    return shell;
  }

  it("opens the page to a user who has been given the role", async () => {
    const shell = await asked((told) => {
      told.changeNow(signedIn(asAdmin), "refresh");
      return null;
    });
    expect(await screen.findByText("Grace Hopper")).toBeVisible();
    expect(shell.called("refresh")).toHaveLength(1);
  });

  it("says that nothing has changed", async () => {
    await asked(() => null);
    expect(await screen.findByText("The server gives you the same roles as before.")).toBeVisible();
  });

  it("says why it got no answer", async () => {
    await asked(() => Promise.reject(unreachable));
    expect(await screen.findByText(/The server cannot be reached. Check/)).toBeVisible();
  });
});

describe("the export", () => {
  const button = () => screen.findByRole("button", { name: "Export as CSV" });

  it("says where the file is", async () => {
    const shell = startAsAdmin();
    shell.on("export_people", () => ({ path: "/home/ada/Downloads/people.csv", rows: 2 }));
    const { user } = await openApp("/admin/");
    await user.click(await button());
    expect(await screen.findByText("2 people exported")).toBeVisible();
    expect(screen.getByText("/home/ada/Downloads/people.csv")).toBeVisible();
  });

  it("says why there is none, in the core's words", async () => {
    const shell = startAsAdmin();
    shell.on("export_people", () => Promise.reject(unreachable));
    const { user } = await openApp("/admin/");
    await user.click(await button());
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Nothing was exported");
    expect(alert).toHaveTextContent(unreachable.message);
  });

  it("is not offered to a user who may only read the list", async () => {
    const shell = startShell(signedIn({ may: ["people.see"] }));
    shell.backend({ "GET /admin/users": people });
    await openApp("/admin/");
    expect(await screen.findByText("Grace Hopper")).toBeVisible();
    await waitFor(() => expect(screen.queryByRole("button", { name: "Export as CSV" })).toBeNull());
  });
});
