import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { shellServing } from "@/vestibule/tests/support/public-content";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { signedIn, signedOut } from "./support/states";

const item = (title: string) => ({ date: "2026-11-02", title, text: `${title}, in short` });

describe("what is new", () => {
  it.each([
    ["nobody in particular", signedOut()],
    ["who is signed in", signedIn()],
  ])("is shown to %s, and asked for without the session", async (_name, state) => {
    const news = ["One", "Two", "Three", "Four"].map(item);
    const shell = shellServing(200, news, state);
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
    const shell = shellServing(status, body);
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
