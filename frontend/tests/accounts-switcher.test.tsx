import { screen, waitFor, within } from "@testing-library/react";
import { type AccountStanding, WORDS } from "vestibule";
import { describe, expect, it, vi } from "vitest";
import {
  account,
  accountList,
  adas,
  bobs,
  crowd,
  oneAccount,
} from "@/vestibule/tests/support/accounts";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, restoring, SIGNED_OUT_REASONS, signedIn, signedOut } from "./support/states";
import { pass } from "./support/time";

const ALL_ITEMS = ["menuitem", "menuitemradio"] as const;

async function open(list = accountList(), state = signedIn()) {
  const shell = startShell(state);
  shell.backend({});
  shell.accounts(list);
  const app = await openApp("/");
  const name = state.status === "signed_in" ? /account menu/ : "Accounts";
  const show = async () => {
    screen.getByRole("button", { name }).focus();
    await app.user.keyboard("{Enter}");
    return within(await screen.findByRole("menu"));
  };
  return { ...app, shell, show };
}

describe("the switcher", () => {
  it("lists the accounts in order, with where they are and how they stand", async () => {
    const { show } = await open();
    const rows = (await show()).getAllByRole("menuitemradio");
    expect(rows.map(({ textContent }) => textContent)).toEqual([
      "ALAda Lovelace· AcmeOnline· ada@example.comCtrl+1",
      "BHBob Hopper· AcmeSigned in· bob@example.comCtrl+2",
      "CWCy Wood· GlobexOffline· cy@example.comCtrl+3",
    ]);
    expect(rows.map((row) => row.getAttribute("aria-checked"))).toEqual(["true", "false", "false"]);
  });

  it("names no workspace where there is one", async () => {
    const { show } = await open(crowd(3));
    expect((await show()).queryByText(/Acme/)).toBeNull();
  });

  it("switches by keyboard alone, and says so until the page is gone", async () => {
    const { show, user, shell } = await open();
    await show();
    // Account, New window, then the accounts.
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{Enter}");
    await waitFor(() => expect(shell.called("switch_account")).toHaveLength(1));
    expect(shell.called("switch_account")[0]?.args).toEqual({ account: "a2" });
    expect(await screen.findByText("Opening Bob Hopper…")).toBeVisible();
  });

  it("does nothing for the account that is shown, and says why it could not switch", async () => {
    const { show, user, shell } = await open();
    await user.click((await show()).getByRole("menuitemradio", { name: /Ada/ }));
    expect(shell.called("switch_account")).toHaveLength(0);
    shell.on("switch_account", () => {
      throw refused("other", "That account is gone.");
    });
    await user.click((await show()).getByRole("menuitemradio", { name: /Bob/ }));
    expect(await screen.findByText("That account is gone.")).toBeVisible();
    expect(screen.queryByText("Opening Bob Hopper…")).toBeNull();
  });

  it("follows the list while it is open", async () => {
    const { show, shell } = await open();
    const menu = await show();
    await shell.changeAccounts({ accounts: [adas, { ...bobs, standing: { kind: "locked" } }] });
    expect(menu.getByRole("menuitemradio", { name: /Bob/ })).toHaveTextContent("Keyring locked");
    expect(menu.queryByRole("menuitemradio", { name: /Cy/ })).toBeNull();
  });

  it.each(Object.entries(WORDS.standings))("says %s as “%s”", async (name, words) => {
    const isReason = SIGNED_OUT_REASONS.some((why) => why === name);
    const standing = (
      isReason ? { kind: "signed_out", why: name } : { kind: name }
    ) as AccountStanding;
    const { show } = await open(accountList({ accounts: [adas, { ...bobs, standing }] }));
    expect((await show()).getByRole("menuitemradio", { name: /Bob/ })).toHaveTextContent(words);
  });

  it("has shortcuts for nine accounts", async () => {
    const { show } = await open(crowd(11));
    const rows = (await show()).getAllByRole("menuitemradio");
    expect(rows[8]).toHaveTextContent("Ctrl+9");
    expect(rows[9]).not.toHaveTextContent("Ctrl+");
  });

  it("waits with an offer to reload where the page does not go", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { show, user } = await open();
    await user.click((await show()).getByRole("menuitemradio", { name: /Bob/ }));
    expect(screen.queryByRole("button", { name: "Reload the window" })).toBeNull();
    await pass(8000);
    expect(screen.getByRole("button", { name: "Reload the window" })).toBeVisible();
  });
});

describe("the search for an account", () => {
  it("is there from eight accounts on", async () => {
    const { show } = await open(crowd(7));
    expect((await show()).queryByRole("menuitem", { name: /Search/ })).toBeNull();
  });

  it("finds by name, e-mail and workspace, and switches by keyboard alone", async () => {
    const zoe = account("z", "Zoë Quist", { email: "zq@corp.example", workspace: "globex" });
    const many = crowd(8);
    const list = accountList({ accounts: [...many.accounts, zoe] });
    const { show, user, shell } = await open(list);
    await show();
    await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    const field = await screen.findByRole("searchbox", { name: "Search accounts" });
    await waitFor(() => expect(field).toHaveFocus());
    const dialog = within(screen.getByRole("dialog", { name: "Find an account" }));
    expect(dialog.getAllByRole("listitem")).toHaveLength(9);
    for (const query of ["zoe", "ZQ@CORP", "globex", "quist glob"]) {
      await user.clear(field);
      await user.type(field, query);
      expect(dialog.getAllByRole("listitem"), query).toHaveLength(1);
      expect(dialog.getByRole("status")).toHaveTextContent("1 of 9 accounts");
    }
    await user.keyboard("{ArrowDown}");
    expect(dialog.getByRole("button", { name: /Zoë/ })).toHaveFocus();
    await user.keyboard("{ArrowUp}");
    expect(field).toHaveFocus();
    await user.keyboard("{Enter}");
    await waitFor(() => expect(shell.called("switch_account")[0]?.args).toEqual({ account: "z" }));
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("says that nothing matches, and Escape clears first and closes then", async () => {
    const { show, user, shell } = await open(crowd(8));
    await user.click((await show()).getByRole("menuitem", { name: "Search accounts…" }));
    const field = await screen.findByRole("searchbox");
    await user.type(field, "nobody at all{Enter}");
    expect(screen.getByText("No account matches.")).toBeVisible();
    await user.keyboard("{Escape}");
    expect(field).toHaveValue("");
    expect(screen.getAllByRole("listitem")).toHaveLength(8);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(shell.called("switch_account")).toHaveLength(0);
  });
});

describe("without a user's menu", () => {
  it("a button in the header leads back to the other accounts", async () => {
    const list = accountList({ accounts: [adas, account("n", null)], current: "n" });
    const { show, user, shell } = await open(list, signedOut());
    const menu = await show();
    expect(menu.getByRole("menuitemradio", { name: /New account/ })).toBeChecked();
    await user.click(menu.getByRole("menuitemradio", { name: /Ada/ }));
    expect(shell.called("switch_account")[0]?.args).toEqual({ account: "a1" });
  });

  it("it is there beside a sign-in screen in front of a kept page", async () => {
    const shell = startShell(signedIn());
    shell.backend({});
    shell.accounts(accountList());
    await openApp("/dashboard/");
    await shell.change(signedOut("expired"), "rejected");
    expect(screen.getByRole("heading", { name: "Sign in" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Accounts" })).toBeVisible();
  });

  it("it is there while this account does not open, after a moment", async () => {
    vi.useFakeTimers();
    const shell = startShell(restoring({ since: 1, retryInMs: null, why: "refused" }));
    shell.accounts(accountList());
    await openApp("/", { fakeTimers: true });
    expect(screen.queryByRole("button", { name: "Accounts" })).toBeNull();
    await pass(1000);
    expect(screen.getByRole("button", { name: "Accounts" })).toBeVisible();
  });

  it("it leads to the pages about accounts, which do not need this one", async () => {
    const shell = startShell(restoring({ since: 1, retryInMs: null, why: "refused" }));
    shell.accounts(accountList());
    const { user, go } = await openApp("/");
    await user.click(await screen.findByRole("button", { name: "Accounts" }, { timeout: 5000 }));
    await user.click(await screen.findByRole("menuitem", { name: "Manage accounts…" }));
    expect(await screen.findByRole("heading", { level: 1, name: "Accounts" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Accounts" }), "in the header now").toBeVisible();
    await go("/dashboard/");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("cannot be reached");
  });

  it("it is not there where there is nowhere to go", async () => {
    const shell = startShell(signedOut());
    shell.accounts(crowd(1, { accounts: [account("n", null)], current: "n" }));
    await openApp("/");
    expect(screen.queryByRole("button", { name: "Accounts" })).toBeNull();
  });

  it("the sign-in page says where the password goes", async () => {
    const shell = startShell(signedOut());
    const nobody = account("n", null, { workspace: "globex" });
    shell.accounts(accountList({ accounts: [adas, nobody], current: "n" }));
    await openApp("/auth/login/");
    expect(screen.getByRole("main")).toHaveTextContent("at Globex · auth.globex.example:8443");
  });
});

describe("an app for one account", () => {
  it.each([
    ["signed in", signedIn()],
    ["signed out", signedOut()],
  ])("shows nothing of all this when %s", async (_when, state) => {
    const shell = startShell(state);
    shell.backend({});
    shell.accounts({ ...oneAccount, accounts: [adas, bobs] });
    const { user, go } = await openApp("/");
    expect(screen.queryByRole("button", { name: "Accounts" })).toBeNull();
    const button = screen.queryByRole("button", { name: /account menu/ });
    if (button) {
      await user.click(button);
      const menu = within(await screen.findByRole("menu"));
      const items = ALL_ITEMS.flatMap((role) => menu.queryAllByRole(role));
      expect(items.map(({ textContent }) => textContent)).toEqual([
        "Account",
        "New windowCtrl+N",
        "Sign out",
      ]);
      await user.keyboard("{Escape}");
    }
    for (const path of ["/accounts/", "/accounts/add/"]) {
      await go(path);
      expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("There is no such page");
    }
  });
});
