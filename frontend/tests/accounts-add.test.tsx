import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { FoundWorkspace } from "vestibule";
import { VestibuleProvider } from "vestibule/react";
import { describe, expect, it, vi } from "vitest";
import { AddAccount } from "@/features/accounts/add-account";
import { vestibule } from "@/lib/vestibule";
import { accountList, crowd } from "@/vestibule/tests/support/accounts";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn } from "./support/states";
import { pass } from "./support/time";

const found: FoundWorkspace = {
  address: "https://id.initech.example",
  host: "id.initech.example",
  disguised: false,
  fits: true,
  finding: "It answers as this app’s backend does.",
  known: null,
};

async function adding(list = accountList({ adding: true }), look: unknown = found) {
  const shell = startShell(signedIn());
  shell.backend({});
  shell.accounts(list);
  shell.on("look_at_workspace", () => look);
  const app = await openApp("/accounts/add/");
  const looks = () => shell.called("look_at_workspace").map(({ args }) => args.address);
  return { ...app, shell, looks };
}

const elsewhere = () => screen.getByRole("button", { name: /^Another server/ });
const title = () => screen.getByRole("heading", { level: 1 }).textContent;

describe("adding an account", () => {
  it("needs no choice where there is one workspace", async () => {
    const shell = startShell(signedIn());
    shell.accounts(crowd(2));
    const { user, visit } = await openApp("/");
    await user.click(screen.getByRole("button", { name: /account menu/ }));
    await user.click(await screen.findByRole("menuitem", { name: "Add account…" }));
    expect(shell.called("add_account")[0]?.args).toEqual({ workspace: "acme" });
    expect(await screen.findByText("Opening a new account…")).toBeVisible();
    expect(visit.visited).toEqual([]);
  });

  it("asks for the workspace where there are several, by keyboard alone", async () => {
    const shell = startShell(signedIn());
    shell.accounts(accountList());
    const { user, visit } = await openApp("/");
    screen.getByRole("button", { name: /account menu/ }).focus();
    await user.keyboard("{Enter}");
    await screen.findByRole("menu");
    await user.keyboard("Add acc{Enter}");
    await waitFor(() => expect(visit.current).toBe("/accounts/add/"));
    await screen.findByText("Where is the account?");
    expect(screen.queryByRole("button", { name: /Another server/ })).toBeNull();
    expect(screen.getByRole("button", { name: /Acme/ })).toHaveFocus();
    await user.keyboard("{ArrowDown}{Enter}");
    expect(shell.called("add_account")[0]?.args).toEqual({ workspace: "globex" });
  });

  it("says why it failed", async () => {
    const { user, shell } = await adding();
    shell.on("add_account", () => {
      throw refused("other", "The disk is full.");
    });
    await user.keyboard("{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.");
  });

  it("says that there are as many accounts as there may be", async () => {
    const { user, visit } = await adding(crowd(5, { most: 5, adding: true }));
    expect(screen.getByText(/This app holds 5 accounts at most/)).toBeVisible();
    expect(screen.queryByRole("list", { name: "Workspaces" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(visit.current).toBe("/accounts/");
  });

  it("says so also where one workspace leaves nothing to choose", async () => {
    const shell = startShell(signedIn());
    shell.accounts(crowd(5, { most: 5 }));
    const { user } = await openApp("/");
    await user.click(screen.getByRole("button", { name: /account menu/ }));
    await user.click(await screen.findByRole("menuitem", { name: "Add account…" }));
    expect(await screen.findByText(/5 accounts at most/)).toBeVisible();
    expect(shell.called("add_account")).toHaveLength(0);
  });
});

describe("adding a server", () => {
  it("looks, shows the host and what was found, and adds it: by keyboard alone", async () => {
    const { user, shell, looks } = await adding();
    await user.keyboard("{End}{Enter}");
    const field = screen.getByRole("textbox", { name: "Server address" });
    expect(field).toHaveFocus();
    await user.keyboard("id.initech.example");
    expect(looks(), "nothing is contacted while it is typed").toEqual([]);
    await user.keyboard("{Enter}");
    const host = await screen.findByRole("heading", { name: "id.initech.example" });
    expect(looks()).toEqual(["id.initech.example"]);
    expect(title()).toBe("Is this your server?");
    expect(host, "the name is read before it is confirmed").toHaveFocus();
    expect(screen.getByText("It answers as this app’s backend does.")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
    await user.tab();
    await user.tab();
    expect(screen.getByRole("button", { name: "Add this server" })).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(shell.called("add_workspace")[0]?.args).toEqual({ address: found.address });
    expect(await screen.findByText("Adding the server…")).toBeVisible();
  });

  it("warns of a name that looks like another", async () => {
    const host = "xn--nitech-2ib.example";
    const { user } = await adding(undefined, { ...found, host, disguised: true });
    await user.click(elsewhere());
    await user.keyboard("ınitech.example{Enter}");
    expect(await screen.findByRole("heading", { name: host })).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent("letters that look like others");
  });

  it("offers nothing where the server does not fit", async () => {
    const finding = "A web page answers there, and no backend of this app.";
    const { user, looks } = await adding(undefined, { ...found, fits: false, finding });
    await user.click(elsewhere());
    await user.keyboard("www.example.com{Enter}");
    expect(await screen.findByText(finding)).toBeVisible();
    expect(screen.queryByRole("button", { name: "Add this server" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Another address" }));
    expect(screen.getByRole("textbox"), "to be corrected").toHaveValue("www.example.com");
    expect(looks()).toHaveLength(1);
  });

  it("leads to the workspace that has the address already", async () => {
    const { user, shell } = await adding(undefined, { ...found, known: "globex" });
    await user.click(elsewhere());
    await user.keyboard("x.example{Enter}");
    expect(await screen.findByText("It is in this app already, as Globex.")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Add an account there" }));
    expect(shell.called("add_account")[0]?.args).toEqual({ workspace: "globex" });
    expect(shell.called("add_workspace")).toHaveLength(0);
  });

  it("can be stopped, and a late answer changes nothing", async () => {
    let answer: (found: FoundWorkspace) => void = () => undefined;
    const slow = new Promise<FoundWorkspace>((resolve) => {
      answer = resolve;
    });
    const { user, shell } = await adding(undefined, slow);
    await user.click(elsewhere());
    await user.keyboard("slow.example{Enter}");
    expect(screen.getByRole("status")).toHaveTextContent("Looking at the address…");
    await user.click(screen.getByRole("button", { name: "Stop" }));
    await act(async () => answer(found));
    const field = screen.getByRole("textbox");
    expect(field).toHaveFocus();
    expect(field).toHaveValue("slow.example");
    shell.on("look_at_workspace", () => ({ ...found, host: "other.example" }));
    await user.keyboard("{Enter}");
    expect(await screen.findByRole("heading", { name: "other.example" })).toBeVisible();
  });

  it("looks again after the pause that the plugin asks for", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { user, shell, looks } = await adding();
    shell.on("look_at_workspace", () => {
      throw refused("busy", "Too soon.", 2000);
    });
    await user.click(elsewhere());
    await user.keyboard("id.initech.example{Enter}");
    await pass(1900);
    expect(looks()).toHaveLength(1);
    shell.on("look_at_workspace", () => found);
    await pass(100);
    expect(await screen.findByRole("heading", { name: found.host })).toBeVisible();
    expect(looks()).toHaveLength(2);
  });

  it("does not look again once it was stopped", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { user, shell, looks } = await adding();
    shell.on("look_at_workspace", () => {
      throw refused("busy", "Too soon.", 2000);
    });
    await user.click(elsewhere());
    await user.keyboard("id.initech.example{Enter}");
    await user.click(screen.getByRole("button", { name: "Stop" }));
    await pass(2000);
    expect(looks()).toHaveLength(1);
  });

  it("says why it could not look, and why it could not add", async () => {
    const { user, shell } = await adding();
    shell.on("look_at_workspace", () => {
      throw refused("other", "Only addresses that begin with https:// can be added.");
    });
    await user.click(elsewhere());
    await user.keyboard("{Enter}");
    expect(screen.getByText("Enter the address of the server.")).toBeVisible();
    await user.keyboard("http://id.initech.example{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("begin with https://");
    shell.on("look_at_workspace", () => found);
    shell.on("add_workspace", () => {
      throw refused("other", "Your administrator allows no other servers.");
    });
    await user.keyboard("{Enter}");
    await user.click(await screen.findByRole("button", { name: "Add this server" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("allows no other servers");
  });

  it("asks about the server of a link, and contacts nobody before the click", async () => {
    const shell = startShell(signedIn());
    const list = accountList({ adding: true });
    const user = userEvent.setup();
    const { unmount } = render(
      <VestibuleProvider vestibule={vestibule}>
        <AddAccount list={list} address="https://id.initech.example" onCancel={() => undefined} />
      </VestibuleProvider>,
    );
    expect(screen.getByRole("textbox")).toHaveValue("https://id.initech.example");
    expect(shell.calls).toEqual([]);
    shell.on("look_at_workspace", () => found);
    await user.click(screen.getByRole("button", { name: "Look" }));
    expect(await screen.findByRole("button", { name: "Add this server" })).toBeVisible();
    unmount();
    render(
      <VestibuleProvider vestibule={vestibule}>
        <AddAccount list={accountList()} address="https://x.example" onCancel={() => undefined} />
      </VestibuleProvider>,
    );
    expect(screen.queryByRole("textbox"), "an app that takes no servers").toBeNull();
  });
});
