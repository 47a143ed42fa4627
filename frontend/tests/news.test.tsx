import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { desktop } from "@/lib/desktop";
import { openApp } from "./support/app";
import { startShell } from "./support/shell";
import { refused, signedIn, signedOut } from "./support/states";

const item = (title: string) => ({ date: "2026-11-02", title, text: `${title}, in short` });

/**
 * Starts a shell whose plugin for public content answers with this body, in pieces of a few bytes.
 */
function shellTelling(status: number, body: unknown, initial = signedOut()) {
  const shell = startShell(initial);
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  let at = 0;
  shell.on("plugin:http|fetch", () => 1);
  shell.on("plugin:http|fetch_send", () => {
    at = 0;
    const headers = [["content-type", "application/json"]];
    return { status, statusText: "", headers, url: "", rid: 2 };
  });
  shell.on("plugin:http|fetch_read_body", () => {
    const piece = bytes.subarray(at, at + 7);
    at += 7;
    return new Uint8Array([...piece, piece.length > 0 ? 0 : 1]).buffer;
  });
  shell.on("plugin:http|fetch_cancel", () => null);
  shell.on("plugin:http|fetch_cancel_body", () => null);
  return shell;
}

describe("what is new", () => {
  it.each([
    ["nobody in particular", signedOut()],
    ["who is signed in", signedIn()],
  ])("is shown to %s, and asked for without the session", async (_name, state) => {
    const news = ["One", "Two", "Three", "Four"].map(item);
    const shell = shellTelling(200, news, state);
    await openApp("/");
    const part = await screen.findByRole("region", { name: "What is new" });
    expect(part).toHaveTextContent("One, in short");
    expect(part).not.toHaveTextContent("Four");
    const asked = shell.called("plugin:http|fetch").map(({ args }) => args.clientConfig);
    expect(asked).toContainEqual({
      method: "GET",
      url: "https://api.example.com/public/news",
      headers: [],
      connectTimeout: 5000,
    });
    expect(shell.requests()).toHaveLength(0);
  });

  it.each([
    ["says nothing", 200, []],
    ["has no such page", 404, { message: "no" }],
    ["answers nonsense", 200, { news: 1 }],
  ])("is not there where the server %s", async (_name, status, body) => {
    const shell = shellTelling(status, body);
    await openApp("/");
    await waitFor(() => expect(shell.called("plugin:http|fetch_read_body")).not.toHaveLength(0));
    expect(screen.queryByRole("region", { name: "What is new" })).toBeNull();
  });

  it("is not there where the address is not listed", async () => {
    const shell = startShell(signedOut());
    shell.on("plugin:http|fetch", () => Promise.reject("url not allowed on the configured scope"));
    await openApp("/");
    await waitFor(() => expect(shell.called("plugin:http|fetch")).not.toHaveLength(0));
    expect(screen.queryByRole("region", { name: "What is new" })).toBeNull();
  });
});

describe("desktop.publicFetch", () => {
  it("ends with its signal, and rejects with the shell's reason", async () => {
    const shell = shellTelling(200, []);
    shell.on("plugin:http|fetch_send", () => new Promise(() => undefined));
    await expect(
      desktop.publicFetch("https://x.example/", AbortSignal.abort()),
    ).rejects.toMatchObject({ name: "AbortError" });
    expect(shell.calls).toHaveLength(0);

    const abort = new AbortController();
    shell.on("plugin:http|fetch_send", () => {
      abort.abort(new Error("enough"));
      throw refused("internal");
    });
    const pending = desktop.publicFetch("https://x.example/", abort.signal);
    await expect(pending).rejects.toThrow("enough");
    expect(shell.called("plugin:http|fetch_cancel")).toHaveLength(1);
  });

  it("gives up on a body without an end, and says so to the shell", async () => {
    const shell = shellTelling(200, []);
    const mebibyte = new Uint8Array((1 << 20) + 1).buffer;
    shell.on("plugin:http|fetch_read_body", () => mebibyte);
    await expect(desktop.publicFetch("https://x.example/")).rejects.toMatchObject({
      status: 413,
    });
    expect(shell.called("plugin:http|fetch_read_body")).toHaveLength(9);
    expect(shell.called("plugin:http|fetch_cancel_body")).toHaveLength(1);
  });
});
