import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn } from "./support/states";

function shellThatReports(reports: boolean | null) {
  const shell = startShell(signedIn());
  shell.on("app_info", () => ({
    product: "Vestibule",
    version: "1.2.3",
    development: false,
    workspace: "default",
    origin: "https://api.example.com",
    reports,
    policy: null,
  }));
  return shell;
}

async function help() {
  return within(await screen.findByRole("region", { name: "Help" }));
}

describe("help on the account page", () => {
  it("opens the folder of the log, and says so when it cannot", async () => {
    const shell = shellThatReports(null);
    shell.on("open_log_folder", () => null);
    const { user } = await openApp("/account/");
    const open = (await help()).getByRole("button", { name: "Open log folder" });
    await user.click(open);
    expect(shell.called("open_log_folder")).toHaveLength(1);
    shell.on("open_log_folder", () => {
      throw refused("internal");
    });
    await user.click(open);
    expect(await screen.findByText(/went wrong inside the app/)).toBeVisible();
  });

  it("offers no reports where the app cannot report", async () => {
    shellThatReports(null);
    await openApp("/account/");
    expect((await help()).queryByRole("radiogroup", { name: "Report failures" })).toBeNull();
  });

  it("reports failures only for those who say so", async () => {
    const shell = shellThatReports(false);
    shell.on("set_reports", () => null);
    const { user } = await openApp("/account/");
    const card = await help();
    expect(card.getByRole("radio", { name: "Off" })).toBeChecked();
    await user.click(card.getByRole("radio", { name: "On" }));
    expect(shell.called("set_reports").map(({ args }) => args)).toEqual([{ on: true }]);
    expect(card.getByRole("radio", { name: "On" })).toBeChecked();

    shell.on("set_reports", () => {
      throw refused("internal");
    });
    await user.click(card.getByRole("radio", { name: "Off" }));
    await waitFor(() => expect(card.getByRole("radio", { name: "On" })).toBeChecked());
  });
});
