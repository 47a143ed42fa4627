import { screen, within } from "@testing-library/react";
import type { SessionState, StorageStatus } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, restoring, signedIn, signedOut, stale } from "./support/states";

const unkept = (storage: StorageStatus): SessionState => ({
  ...signedIn({ remembered: false }),
  storage,
});
const behind = (storage: StorageStatus): SessionState => ({ ...stale(5000), storage });
const banner = () => within(screen.getByRole("region", { name: "Keyring" }));

describe("a session that the keyring did not take", () => {
  it.each<[StorageStatus, RegExp, string | null]>([
    ["locked", /keyring is locked\. You stay signed in until you quit/, "Unlock keyring"],
    ["absent", /until you quit\. There is no keyring on this computer/, "Try again"],
    ["memory_only", /until you quit\. Your keyring did not store/, "Try again"],
    ["too_large", /until you quit\. What your server sends .* is larger/, null],
    ["ok", /until you quit\. The session could not be saved/, null],
  ])(
    "%s: says so, with the one action that helps, until dismissed",
    async (storage, words, act) => {
      const shell = startShell(unkept(storage));
      const { user } = await openApp("/");
      expect(banner().getByRole("status")).toHaveTextContent(words);
      const buttons = banner()
        .getAllByRole("button")
        .map((button) => button.getAttribute("aria-label") ?? button.textContent);
      expect(buttons).toEqual(act ? [act, "Dismiss"] : ["Dismiss"]);
      await user.click(banner().getByRole("button", { name: "Dismiss" }));
      expect(screen.queryByRole("region", { name: "Keyring" })).toBeNull();
      expect(shell.called("unlock_keyring")).toHaveLength(0);
    },
  );

  it("is offered again at a click, and the banner goes when it is taken", async () => {
    const shell = startShell(unkept("locked"));
    let answer: (value: null) => void = () => undefined;
    shell.on("unlock_keyring", () => new Promise((resolve) => (answer = resolve)));
    const { user } = await openApp("/");
    const button = banner().getByRole("button", { name: "Unlock keyring" });
    await user.dblClick(button);
    expect(shell.called("unlock_keyring"), "one at a time").toHaveLength(1);
    answer(null);
    expect(await banner().findByText(/It is still locked/)).toBeVisible();
    await user.click(button);
    expect(shell.called("unlock_keyring")).toHaveLength(2);
    await shell.change(signedIn(), "storage");
    expect(screen.queryByRole("region", { name: "Keyring" })).toBeNull();
  });

  it("is offered once more by itself where a click came too soon", async () => {
    const shell = startShell(unkept("locked"));
    const refusal = refused("busy", "too soon", 20);
    shell.on("unlock_keyring", () =>
      shell.called("unlock_keyring").length === 1 ? Promise.reject(refusal) : null,
    );
    const { user } = await openApp("/");
    await user.click(banner().getByRole("button", { name: "Unlock keyring" }));
    expect(await banner().findByText(/It is still locked/)).toBeVisible();
    expect(shell.called("unlock_keyring")).toHaveLength(2);
  });

  it("is warned of again when the keyring has another problem", async () => {
    const shell = startShell(unkept("absent"));
    const { user } = await openApp("/");
    await user.click(banner().getByRole("button", { name: "Dismiss" }));
    await shell.change(unkept("locked"), "storage");
    expect(banner().getByRole("status")).toHaveTextContent("Your keyring is locked.");
  });
});

describe("a session that is behind a keyring", () => {
  it("is not called an outage: the keyring is named, and cannot be dismissed", async () => {
    const shell = startShell(behind("locked"));
    const { user } = await openApp("/dashboard/");
    expect(banner().getByRole("status")).toHaveTextContent("Unlock it to go on.");
    expect(banner().queryByRole("button", { name: "Dismiss" })).toBeNull();
    expect(screen.queryByText(/Offline/)).toBeNull();
    expect(screen.getByText("Will be asked when your keyring is open")).toBeVisible();
    shell.on("unlock_keyring", () => {
      shell.changeNow(signedIn(), "refresh");
      return null;
    });
    await user.click(banner().getByRole("button", { name: "Unlock keyring" }));
    expect(await screen.findByText("Your keyring is open again.")).toBeInTheDocument();
    expect(screen.queryByRole("region", { name: "Keyring" })).toBeNull();
  });

  it.each<[StorageStatus, string, string]>([
    ["locked", "Your keyring is locked", "Unlock keyring"],
    ["absent", "Your keyring cannot be found", "Try again"],
    ["memory_only", "Your keyring does not answer as it should", "Try again"],
  ])("%s: has a screen of its own where nobody is known yet", async (storage, title, action) => {
    const outage = { since: Date.now(), retryInMs: 5000, why: null };
    const shell = startShell({ ...restoring(outage), storage });
    shell.on("unlock_keyring", () => null);
    const { user } = await openApp("/dashboard/");
    expect(screen.getByRole("heading", { name: title })).toBeVisible();
    await user.click(screen.getByRole("button", { name: action }));
    expect(shell.called("unlock_keyring")).toHaveLength(1);
    expect(screen.getByRole("button", { name: "Sign in again" })).toBeVisible();
  });
});

it("troubles nobody who is signed out", async () => {
  startShell({ ...signedOut(), storage: "locked" });
  await openApp("/");
  expect(screen.queryByRole("region", { name: "Keyring" })).toBeNull();
});
