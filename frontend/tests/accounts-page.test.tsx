import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { account, accountList, adas, bobs, crowd, cys } from "@/vestibule/tests/support/accounts";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn, signedOut } from "./support/states";

async function page(list = accountList(), state = signedIn()) {
  const shell = startShell(state);
  shell.backend({});
  shell.accounts(list);
  return { shell, ...(await openApp("/accounts/")) };
}

const dialog = () => within(screen.getByRole("alertdialog"));

describe("the page of all accounts", () => {
  it("lists them, and switches", async () => {
    const { user, shell } = await page();
    const region = within(screen.getByRole("region", { name: "On this computer" }));
    const rows = region.getAllByRole("listitem");
    expect(rows).toHaveLength(3);
    expect(rows[0]).toHaveTextContent("This window");
    expect(region.queryByRole("button", { name: "Switch to Ada Lovelace" })).toBeNull();
    await user.click(region.getByRole("button", { name: "Switch to Cy Wood" }));
    expect(shell.called("switch_account")[0]?.args).toEqual({ account: "a3" });
  });

  it.each(["/accounts/", "/accounts/add/"])(
    "says of %s that the accounts could not be read, and tries again",
    async (path) => {
      const shell = startShell(signedIn());
      shell.backend({});
      shell.on("accounts", () => {
        throw refused("other", "The list is damaged.");
      });
      const { user } = await openApp(path);
      const heading = () => screen.getByRole("heading", { level: 1 });
      expect(heading()).toHaveTextContent("The accounts could not be read");
      expect(screen.getByRole("alert")).toHaveTextContent("The list is damaged.");
      shell.on("accounts", () => accountList());
      await user.click(screen.getByRole("button", { name: "Try again" }));
      await waitFor(() => expect(heading()).not.toHaveTextContent("could not be read"));
      expect(heading()).not.toHaveTextContent("no such page");
    },
  );

  it("is there for somebody who is signed out in this account", async () => {
    await page(accountList({ accounts: [account("n", null), bobs], current: "n" }), signedOut());
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Accounts");
    expect(screen.queryByRole("region", { name: "After signing out" }), "whom?").toBeNull();
  });

  it("removes an account after a question that says what is lost", async () => {
    const { user, shell } = await page();
    await user.click(screen.getByRole("button", { name: "Remove Bob Hopper" }));
    const asked = screen.getByRole("alertdialog", { name: "Remove Bob Hopper?" });
    expect(asked).toHaveAccessibleDescription(
      "The account is signed out in all windows, and what was typed there is lost. This computer forgets its name and e-mail. At Acme nothing is deleted.",
    );
    await user.click(dialog().getByRole("button", { name: "Cancel" }));
    expect(shell.called("remove_account")).toHaveLength(0);
    await user.click(screen.getByRole("button", { name: "Remove Bob Hopper" }));
    await user.click(dialog().getByRole("button", { name: "Remove account" }));
    expect(shell.called("remove_account")[0]?.args).toEqual({ account: "a2" });
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(screen.queryByText(/^Removing/), "this window stays").toBeNull();
    await shell.changeAccounts({ accounts: [adas, cys] });
    expect(screen.queryByRole("button", { name: "Remove Bob Hopper" })).toBeNull();
  });

  it("asks less of an account that nobody is signed in to", async () => {
    const gone = account("g", "Gus Old", { standing: { kind: "signed_out", why: "by_user" } });
    const { user } = await page(accountList({ accounts: [adas, gone] }));
    await user.click(screen.getByRole("button", { name: "Remove Gus Old" }));
    expect(screen.getByRole("alertdialog")).toHaveAccessibleDescription(
      "This computer forgets its name and e-mail. At Acme nothing is deleted.",
    );
  });

  it("waits for the page to be loaded anew where this window's account is removed", async () => {
    const { user } = await page();
    await user.click(screen.getByRole("button", { name: "Remove Ada Lovelace" }));
    await user.click(dialog().getByRole("button", { name: "Remove account" }));
    expect(await screen.findByText("Removing Ada Lovelace…")).toBeVisible();
  });

  it("keeps the question open and says why when that fails", async () => {
    const { user, shell } = await page();
    shell.on("remove_account", () => {
      throw refused("other", "Its folder cannot be deleted.");
    });
    await user.click(screen.getByRole("button", { name: "Remove Ada Lovelace" }));
    await user.click(dialog().getByRole("button", { name: "Remove account" }));
    expect(await dialog().findByRole("alert")).toHaveTextContent("Its folder cannot be deleted.");
    expect(screen.queryByText("Removing Ada Lovelace…")).toBeNull();
  });

  it("says whether this account stays in the list, and puts it back when that fails", async () => {
    const { user, shell } = await page();
    const group = within(
      screen.getByRole("radiogroup", { name: "Keep this account in the list after signing out" }),
    );
    expect(group.getByRole("radio", { name: "Keep" })).toBeChecked();
    await user.click(group.getByRole("radio", { name: "Forget" }));
    expect(shell.called("remember_account")[0]?.args).toEqual({ on: false });
    await shell.changeAccounts({ accounts: [{ ...adas, remembered: false }, bobs] });
    expect(group.getByRole("radio", { name: "Forget" })).toBeChecked();
    shell.on("remember_account", () => {
      throw refused("other", "The disk is full.");
    });
    await user.click(group.getByRole("radio", { name: "Keep" }));
    expect(await screen.findByText("The disk is full.")).toBeVisible();
    expect(group.getByRole("radio", { name: "Forget" })).toBeChecked();
  });

  it("signs out of all accounts after a question", async () => {
    const { user, shell } = await page();
    await user.click(screen.getByRole("button", { name: "Sign out of all accounts" }));
    await user.click(dialog().getByRole("button", { name: "Sign out of all" }));
    expect(shell.called("logout_all")).toHaveLength(1);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    const out = accountList().accounts.map((one) => ({
      ...one,
      standing: { kind: "signed_out", why: "by_user" } as const,
    }));
    await shell.changeAccounts({ accounts: out });
    expect(screen.queryByRole("button", { name: "Sign out of all accounts" })).toBeNull();
    expect(screen.getByText("Nobody is signed in.")).toBeVisible();
  });

  it("removes a server that was added, and no other", async () => {
    const { user, shell } = await page();
    const region = within(screen.getByRole("region", { name: "Added servers" }));
    expect(region.getAllByRole("listitem")).toHaveLength(1);
    expect(region.getByText("auth.globex.example:8443")).toBeVisible();
    await user.click(region.getByRole("button", { name: "Remove the server Globex" }));
    expect(screen.getByRole("alertdialog")).toHaveAccessibleDescription(
      /^The account in it is signed out and removed\./,
    );
    await user.click(dialog().getByRole("button", { name: "Remove server" }));
    expect(shell.called("remove_workspace")[0]?.args).toEqual({ workspace: "globex" });
  });

  it("has no part for servers where none was added", async () => {
    await page(crowd(2));
    expect(screen.queryByRole("region", { name: "Added servers" })).toBeNull();
  });
});

describe("a session that ends in another account", () => {
  const ended = { ...bobs, standing: { kind: "signed_out", why: "expired" } } as const;
  const told = "Bob Hopper’s session at Acme has expired.";

  it("is told once, with a way to sign in there", async () => {
    const { user, shell } = await page();
    await shell.changeAccounts({ accounts: [adas, ended, cys] });
    expect(await screen.findByText(told)).toBeVisible();
    await shell.changeAccounts({ accounts: [adas, ended] });
    expect(screen.getAllByText(told)).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(shell.called("switch_account")[0]?.args).toEqual({ account: "a2" });
  });

  it("is not told of what had ended before the page was loaded", async () => {
    await page(accountList({ accounts: [adas, ended] }));
    await act(async () => undefined);
    expect(screen.queryByText(told)).toBeNull();
    expect(screen.getByText("Session expired")).toBeVisible();
  });

  it("is not told by a list that comes late", async () => {
    const { shell } = await page(accountList({ revision: 5 }));
    act(() => shell.sendAccounts(accountList({ revision: 4, accounts: [adas, ended] })));
    await act(async () => undefined);
    expect(screen.queryByText(told)).toBeNull();
  });

  it("is told by name alone where there is one workspace", async () => {
    const list = crowd(2);
    const { shell } = await page(list);
    const [first, second] = list.accounts;
    if (!first || !second) throw new Error("two accounts");
    const over = { ...second, standing: { kind: "signed_out", why: "revoked" } as const };
    await shell.changeAccounts({ accounts: [first, over] });
    expect(await screen.findByText("Bob 2’s session was ended from elsewhere.")).toBeVisible();
  });

  it("says why it could not switch there", async () => {
    const { user, shell } = await page();
    shell.on("switch_account", () => {
      throw refused("other", "That account is gone.");
    });
    await shell.changeAccounts({ accounts: [adas, ended, cys] });
    await user.click(await screen.findByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("That account is gone.")).toBeVisible();
  });
});
