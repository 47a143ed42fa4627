import { screen, within } from "@testing-library/react";
import type { PolicyInfo } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { signedIn } from "./support/states";

const FILE = "/etc/dev.vestibule.desktop/policy.toml";

async function accountUnder(policy: PolicyInfo | null) {
  const shell = startShell(signedIn());
  const info = shell.handler("app_info")({}, new Headers()) as object;
  shell.on("app_info", () => ({ ...info, policy }));
  await openApp("/account/");
  return within(await screen.findByRole("region", { name: "About" }));
}

const managed = () => screen.queryByRole("region", { name: "Managed settings" });
const nothing = { place: FILE, sets: [], fixes: [], network: [], overrides: [] };

describe("settings that an administrator has made", () => {
  it("are shown as such, with what they override", async () => {
    const about = await accountUnder({
      place: FILE,
      sets: ["backend", "name"],
      fixes: ["backend", "api.allow"],
      network: ["proxy"],
      overrides: [{ key: "backend", place: "/home/ada/.config/profile.toml" }],
    });
    expect(about.getByText("Set by your administrator")).toBeVisible();
    const values = within(managed() as HTMLElement).getAllByRole("definition");
    expect(values.map((value) => value.textContent)).toEqual([
      "backendapi.allow",
      "backendnamenetwork.proxy",
      "backend in /home/ada/.config/profile.toml",
      FILE,
    ]);
  });

  it("do not make the server theirs where they fix something else", async () => {
    const about = await accountUnder({ ...nothing, sets: ["backend"], fixes: ["api.allow"] });
    expect(about.queryByText("Set by your administrator")).toBeNull();
    const values = within(managed() as HTMLElement).getAllByRole("definition");
    expect(values.map((value) => value.textContent)).toEqual(["api.allow", "backend", FILE]);
  });

  it("are not spoken of where there are none", async () => {
    await accountUnder(null);
    expect(managed()).toBeNull();
  });
});
