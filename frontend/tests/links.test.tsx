import { act, screen, waitFor, within } from "@testing-library/react";
import type { LinkSubject } from "vestibule";
import { describe, expect, it } from "vitest";
import { links } from "@/lib/vestibule";
import { accountList, crowd } from "@/vestibule/tests/support/accounts";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn, signedOut } from "./support/states";

const join = (host: string): LinkSubject => ({ kind: "join", address: `https://${host}` });

async function opened(at: string, list = accountList({ adding: true }), state = signedOut()) {
  const shell = startShell(state);
  shell.backend({});
  shell.accounts(list);
  const app = await openApp(at);
  await act(links.start);
  return { ...app, shell, asks: (about: LinkSubject) => act(async () => shell.linkAsks(about)) };
}

const field = () => screen.findByRole("textbox", { name: "Server address" });
const looks = (shell: ReturnType<typeof startShell>) => shell.called("look_at_workspace");

describe("a link that asks to add a server", () => {
  it("is a screen with the address in it, and contacts nobody before the click", async () => {
    const { user, shell, asks } = await opened("/auth/login/");
    shell.on("look_at_workspace", () => new Promise(() => undefined));
    await asks(join("id.initech.example"));
    expect(await field()).toHaveValue("https://id.initech.example");
    expect(await field()).toHaveFocus();
    expect(screen.getByText(/A link has filled in its address/)).toBeVisible();
    expect(looks(shell)).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Look" }));
    expect(looks(shell).map(({ args }) => args.address)).toEqual(["https://id.initech.example"]);
  });

  it("leaves the page behind it with what was typed there", async () => {
    const { user, visit, asks } = await opened("/auth/login/");
    await user.type(screen.getByRole("textbox", { name: "E-mail" }), "ada@example.com");
    await asks(join("a.example"));
    await field();
    expect(screen.queryByRole("textbox", { name: "E-mail" }), "it is behind").toBeNull();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    const typed = await screen.findByRole("textbox", { name: "E-mail" });
    expect(typed).toHaveValue("ada@example.com");
    expect(visit.visited).toEqual([]);
  });

  it("is followed by the next one", async () => {
    const { user, asks } = await opened("/auth/login/");
    await asks(join("a.example"));
    await asks(join("b.example"));
    expect(await field()).toHaveValue("https://a.example");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(await field()).toHaveValue("https://b.example");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByText(/A link has filled in/)).toBeNull());
  });

  it("is not closed by Escape in the field, but by Escape elsewhere", async () => {
    const { user, asks } = await opened("/auth/login/");
    await asks(join("a.example"));
    (await field()).focus();
    await user.keyboard("{Escape}");
    expect(await field()).toHaveValue("https://a.example");
    screen.getByRole("button", { name: "Look" }).focus();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByText(/A link has filled in/)).toBeNull());
  });

  it("says that there is no room, and makes way for the page that makes some", async () => {
    const list = crowd(5, { most: 5, adding: true });
    const { user, visit, asks } = await opened("/dashboard/", list, signedIn());
    await asks(join("a.example"));
    const front = await screen.findByRole("dialog", { name: "A link asks to add a server" });
    expect(within(front).getByText(/5 accounts at most/)).toBeVisible();
    await user.click(screen.getByRole("link", { name: "Manage accounts" }));
    await waitFor(() => expect(visit.current).toBe("/accounts/"));
    expect(front).not.toBeInTheDocument();
  });
});

describe("a link that is refused", () => {
  it("is told in words, and the page stays", async () => {
    const { visit, asks } = await opened("/auth/login/");
    const error = refused("other", "This link is not one that Vestibule knows.");
    await asks({ kind: "refused", error });
    expect(await screen.findByText(error.message)).toBeVisible();
    expect(visit.visited).toEqual([]);
    expect(links.get()).toBeNull();
  });
});

describe("a link that is pasted where an address is asked for", () => {
  async function pasting(text: string, answer: () => unknown) {
    const app = await opened("/accounts/add/", undefined, signedIn());
    app.shell.on("open_link", answer);
    await app.user.click(screen.getByRole("button", { name: /^Another server/ }));
    await app.user.click(await field());
    await app.user.paste(text);
    await app.user.keyboard("{Enter}");
    return app;
  }

  it("fills the address in, and contacts nobody", async () => {
    const link = "dev.vestibule.desktop:/join?workspace=a.example";
    const { shell } = await pasting(link, () => join("a.example"));
    await waitFor(async () => expect(await field()).toHaveValue("https://a.example"));
    expect(screen.getByText(/A link has filled in its address/)).toBeVisible();
    expect(shell.called("open_link")[0]?.args).toEqual({ link });
    expect(looks(shell)).toEqual([]);
  });

  it("is told in words where it is none of this app, and can be corrected", async () => {
    const { shell } = await pasting("javascript:/alert(1)", () => {
      throw refused("other", "This link is not one that Vestibule knows.");
    });
    expect(await screen.findByRole("alert")).toHaveTextContent("not one that Vestibule knows");
    expect(await field()).toHaveValue("javascript:/alert(1)");
    expect(looks(shell)).toEqual([]);
  });

  it("is no link where it is an address, with a port or without", async () => {
    for (const address of ["https://a.example/", "a.example:8443/x", "HTTP://127.0.0.1:1"]) {
      const { shell, view } = await pasting(address, () => join("x.example"));
      expect(looks(shell).map(({ args }) => args.address)).toEqual([address]);
      expect(shell.called("open_link")).toEqual([]);
      view.unmount();
    }
  });
});
