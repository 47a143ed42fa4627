import { createVestibule, type FetchReply } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "./support/shell";
import { refused, reply, signedIn } from "./support/states";

const { auth } = createVestibule();

function shellAnswering(answer: FetchReply) {
  const shell = startShell(signedIn());
  shell.on("backend_fetch", () => answer);
  return shell;
}

describe("auth.fetch", () => {
  it("gives a real Response in one command", async () => {
    const shell = shellAnswering(reply(200, { user: { id: "u1" } }));
    const response = await auth.fetch("/me");
    expect(response).toBeInstanceOf(Response);
    expect(response.ok).toBe(true);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.clone().text()).toBe('{"user":{"id":"u1"}}');
    expect(await response.json()).toEqual({ user: { id: "u1" } });
    expect(shell.requests()).toEqual([{ path: "/me", method: "GET", headers: [], body: null }]);
    expect(shell.calls).toHaveLength(1);
  });

  it("numbers its exchanges, each differently and for this page", async () => {
    const shell = shellAnswering(reply(200, {}));
    await Promise.all([auth.fetch("/a"), auth.fetch("/b")]);
    const [one, two] = shell.called("backend_fetch").map(({ args }) => Number(args.exchange));
    expect(one).not.toBe(two);
    const page = (number = 0) => Math.floor(number / 2 ** 20);
    expect(page(one)).toBe(page(two));
    expect(Number.isSafeInteger(one)).toBe(true);
  });

  it("gives error statuses as Responses, and bodiless ones without a body", async () => {
    shellAnswering(reply(403, { message: "no" }));
    expect((await auth.fetch("/x")).status).toBe(403);
    shellAnswering(reply(204));
    const empty = await auth.fetch("/x", { method: "delete" });
    expect([empty.status, empty.body]).toEqual([204, null]);
  });

  it("sends text, JSON and fields with their types", async () => {
    const shell = shellAnswering(reply(200, {}));
    await auth.fetch("/a", { json: { a: 1 } });
    await auth.fetch("/b", { method: "put", body: "text", headers: { "X-One": "1" } });
    await auth.fetch("/c", { body: new URLSearchParams({ a: "b c" }) });
    await auth.fetch("/d", { body: "{}", headers: { "content-type": "application/json" } });
    const json = ["content-type", "application/json"];
    const plain = ["content-type", "text/plain;charset=UTF-8"];
    const fields = ["content-type", "application/x-www-form-urlencoded;charset=UTF-8"];
    expect(shell.requests()).toEqual([
      { path: "/a", method: "POST", headers: [json], body: '{"a":1}' },
      { path: "/b", method: "PUT", headers: [plain, ["x-one", "1"]], body: "text" },
      { path: "/c", method: "POST", headers: [fields], body: "a=b+c" },
      { path: "/d", method: "POST", headers: [json], body: "{}" },
    ]);
  });

  it.each([
    ["a number", { body: 1 }],
    ["two bodies", { body: "a", json: 1 }],
    ["a body on GET", { method: "GET", body: "a" }],
  ])("refuses %s clearly, before anything is sent", async (_name, init) => {
    const shell = shellAnswering(reply(200));
    await expect(auth.fetch("/x", init as never)).rejects.toBeInstanceOf(TypeError);
    expect(shell.requests()).toHaveLength(0);
  });

  it("rejects with the shell's reason when there was no answer", async () => {
    const shell = startShell(signedIn());
    shell.on("backend_fetch", () => {
      throw refused("rate_limited", "slow down", 4000);
    });
    const cause = await auth.fetch("/me").catch((error: unknown) => error);
    expect(auth.failure(cause)).toEqual({
      code: "rate_limited",
      status: 400,
      message: "slow down",
      retryAfterMs: 4000,
    });
  });

  it("honours an abort before and during the call, and tells the shell", async () => {
    const shell = startShell(signedIn());
    shell.on("backend_fetch", () => new Promise(() => undefined));
    await expect(auth.fetch("/me", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(shell.calls).toHaveLength(0);
    const abort = new AbortController();
    const pending = auth.fetch("/me", { signal: abort.signal });
    await expect.poll(() => shell.requests()).toHaveLength(1);
    abort.abort(new Error("left the page"));
    await expect(pending).rejects.toThrow("left the page");
    const asked = shell.called("backend_fetch").map(({ args }) => args.exchange);
    expect(shell.called("backend_cancel").map(({ args }) => args.exchange)).toEqual(asked);
  });

  it("has a limit on the whole if the caller wants one", async () => {
    const shell = startShell(signedIn());
    shell.on("backend_fetch", () => new Promise(() => undefined));
    const pending = auth.fetch("/me", { signal: AbortSignal.timeout(1) });
    await expect(pending).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("survives what no Response can hold", async () => {
    shellAnswering({
      ...reply(200),
      headers: [
        ["bad name", "x"],
        ["ok", "1"],
      ],
    });
    expect((await auth.fetch("/x")).headers.get("ok")).toBe("1");
    shellAnswering(reply(99));
    await expect(auth.fetch("/x")).rejects.toMatchObject({ code: "other", status: 502 });
  });
});
