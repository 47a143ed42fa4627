import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { account, accountList, adas, bobs, crowd } from "@/vestibule/tests/support/accounts";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn } from "./support/states";

async function choose(list = accountList(), { fails = false } = {}) {
  const shell = startShell(signedIn());
  shell.on("session", () => {
    throw refused("no_account", "No account is chosen.");
  });
  if (fails) {
    shell.on("accounts", () => {
      throw refused("other", "The accounts cannot be read.");
    });
  }
  shell.accounts({ ...list, current: null });
  const app = await openApp("/dashboard/");
  const chosen = () => shell.called("switch_account").map(({ args }) => args.account);
  return { ...app, shell, chosen };
}

function rows() {
  const list = within(screen.getByRole("list", { name: "Accounts" }));
  return list.getAllByRole("listitem").map(({ textContent }) => textContent);
}

describe("the chooser", () => {
  it("asks who it is in place of every page, and shows the window", async () => {
    const { shell, visit } = await choose();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Who is it?");
    expect(document.title).toBe("Who is it? · Vestibule");
    expect(screen.queryByRole("banner")).toBeNull();
    expect(visit.visited).toEqual([]);
    expect(shell.called("window_ready")).toHaveLength(1);
    expect(rows()).toEqual([
      "ALAda Lovelace· AcmeOnline· ada@example.com1",
      "BHBob Hopper· AcmeSigned in· bob@example.com2",
      "CWCy Wood· GlobexOffline· cy@example.com3",
    ]);
  });

  it("is answered by arrows and Enter", async () => {
    const { user, chosen } = await choose();
    expect(screen.getByRole("button", { name: /Ada/ })).toHaveFocus();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowUp}{Enter}");
    expect(chosen()).toEqual(["a2"]);
    expect(await screen.findByText("Opening Bob Hopper…")).toBeVisible();
  });

  it("is answered by Home, End and Tab", async () => {
    const { user, chosen } = await choose();
    await user.keyboard("{End}");
    expect(screen.getByRole("button", { name: /Cy/ })).toHaveFocus();
    await user.keyboard("{Home}");
    await user.tab();
    expect(screen.getByRole("button", { name: /Bob/ })).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(chosen()).toEqual(["a2"]);
  });

  it("is answered by a digit, and not twice", async () => {
    const { user, chosen } = await choose();
    await user.keyboard("9");
    expect(chosen()).toEqual([]);
    await user.keyboard("{Control>}2{/Control}");
    expect(chosen(), "with Ctrl the digit is the menu's").toEqual([]);
    await user.keyboard("31");
    expect(chosen()).toEqual(["a3"]);
  });

  it("searches from eight accounts on, where digits are text", async () => {
    const { user, chosen } = await choose(crowd(12));
    const field = screen.getByRole("searchbox", { name: "Search accounts" });
    expect(field).toHaveFocus();
    await user.keyboard("person12");
    expect(rows()).toHaveLength(1);
    expect(chosen()).toEqual([]);
    await user.keyboard("{Enter}");
    expect(chosen()).toEqual(["a12"]);
  });

  it("says why an account could not be opened, and can be asked again", async () => {
    const { user, shell, chosen } = await choose();
    shell.on("switch_account", () => {
      throw refused("other", "Another program holds this account.");
    });
    await user.keyboard("2");
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "Another program holds this account.",
    );
    shell.on("switch_account", () => null);
    await user.keyboard("2");
    expect(chosen()).toEqual(["a2", "a2"]);
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });

  it("shows that an account is gone or has changed", async () => {
    const { shell } = await choose();
    const ended = { ...bobs, standing: { kind: "signed_out", why: "expired" } } as const;
    await shell.changeAccounts({ accounts: [adas, ended] });
    expect(rows()).toHaveLength(2);
    expect(screen.getByRole("button", { name: /Bob/ })).toHaveTextContent("Session expired");
  });

  it("bears an empty list", async () => {
    const { user, shell } = await choose(crowd(0));
    expect(screen.getByText("There is no account on this computer yet.")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Add account" }));
    expect(shell.called("add_account")[0]?.args).toEqual({ workspace: "acme" });
  });

  it("adds an account in one of several workspaces, and comes back", async () => {
    const { user, shell } = await choose();
    await user.click(screen.getByRole("button", { name: "Add account" }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Add an account");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Who is it?");
    await user.click(screen.getByRole("button", { name: "Add account" }));
    await user.keyboard("{ArrowDown}{Enter}");
    expect(shell.called("add_account")[0]?.args).toEqual({ workspace: "globex" });
  });

  it("leads to the page where accounts are removed", async () => {
    const { user } = await choose();
    await user.click(screen.getByRole("link", { name: "Manage accounts" }));
    expect(await screen.findByRole("heading", { level: 1, name: "Accounts" })).toBeVisible();
    expect(screen.queryByText("This window")).toBeNull();
    expect(screen.getByRole("button", { name: "Remove Bob Hopper" })).toBeVisible();
  });

  it("says why there is no list, and reads it again", async () => {
    const { user, shell } = await choose(accountList(), { fails: true });
    expect(shell.called("window_ready")).toHaveLength(1);
    expect(screen.getByRole("alert")).toHaveTextContent("The accounts cannot be read.");
    shell.on("accounts", () => accountList({ current: null, accounts: [account("a", "Ada L")] }));
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("button", { name: /Ada L/ })).toBeVisible();
  });
});
