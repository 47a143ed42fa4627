import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { takingUploads } from "@/vestibule/tests/support/transfers";
import { openApp } from "./support/app";
import { refused, reply, signedIn, unreachable } from "./support/states";

const QUICK = 2_000_000;

/** A server that sends and accepts as many bytes as the page asks for. */
function shellMoving() {
  const shell = startShell(signedIn());
  shell.backend({});
  const others = shell.handler("backend_fetch");
  let left = 0;
  shell.on("backend_fetch", (args, headers) => {
    const { path } = args.request as { path: string };
    if (!path.startsWith("/transfer")) return others(args, headers);
    left = Number(new URL(path, "http://x").searchParams.get("bytes"));
    return { ...reply(200), body: "", streamed: true };
  });
  shell.on("backend_read", () => {
    const piece = new ArrayBuffer(Math.min(left, 250_000));
    left -= piece.byteLength;
    return piece;
  });
  const given = takingUploads(shell, () => ({
    kind: "answer",
    reply: reply(200, { bytes: given.body().byteLength }),
  }));
  return { shell, given };
}

const card = () => within(screen.getByRole("region", { name: "Connection" }));

async function test() {
  const { user } = await openApp("/account/");
  await user.click(card().getByRole("button", { name: "Test connection" }));
  return user;
}

describe("the connection test", () => {
  it("moves bytes both ways and says how fast", async () => {
    const { given } = shellMoving();
    await test();
    await waitFor(() => expect(card().getByRole("status")).toHaveTextContent(/Download.*Mbit\/s/));
    expect(card().getByRole("status")).toHaveTextContent(/Upload.*Mbit\/s/);
    expect(given.body().byteLength).toBe(QUICK);
    expect(given.request()).toMatchObject({ path: "/transfer", method: "POST" });
    expect(card().getByRole("button", { name: "Test connection" })).toBeVisible();
  });

  it("shows how far it has come, and can be cancelled", async () => {
    const { shell } = shellMoving();
    let reads = 0;
    shell.on("backend_read", () => {
      reads += 1;
      return reads < 3 ? new ArrayBuffer(250_000) : new Promise(() => undefined);
    });
    const user = await test();
    expect(await card().findByText("Downloading 0.5 MB of 2 MB")).toBeVisible();
    expect(card().getByRole("progressbar", { name: "Connection test" })).toHaveValue(500_000);
    await user.click(card().getByRole("button", { name: "Cancel the test" }));
    expect(await card().findByText("The test was stopped.")).toBeVisible();
    expect(shell.called("backend_cancel")).toHaveLength(1);
    expect(shell.called("backend_upload")).toHaveLength(0);
  });

  it("ends with the page", async () => {
    const { shell } = shellMoving();
    shell.on("backend_read", () => new Promise(() => undefined));
    const { go, user } = await openApp("/account/");
    await user.click(card().getByRole("button", { name: "Test connection" }));
    await waitFor(() => expect(shell.called("backend_read")).toHaveLength(1));
    await go("/dashboard/");
    expect(shell.called("backend_cancel")).toHaveLength(1);
  });

  it.each([
    ["cannot be reached", () => Promise.reject(unreachable), /cannot be reached/],
    ["has no such path", () => reply(404), /offers no connection test/],
    ["is not to be asked", () => Promise.reject(refused("path_refused")), /offers no connection/],
    ["gives less than it was asked for", () => reply(200, {}), /does not understand/],
  ])("says so when the server %s", async (_name, answer, words) => {
    const shell = startShell(signedIn());
    shell.on("backend_fetch", answer);
    await test();
    expect(await card().findByText(words)).toBeVisible();
  });
});
