import { createVestibule } from "vestibule";
import { describe, expect, it } from "vitest";
import { shellServing } from "./support/public-content";
import { refused } from "./support/states";

const { desktop } = createVestibule();

describe("desktop.publicFetch", () => {
  it("ends with its signal, whose reason it rejects with", async () => {
    const shell = shellServing(200, []);
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
    const shell = shellServing(200, []);
    const mebibyte = new Uint8Array((1 << 20) + 1).buffer;
    shell.on("plugin:http|fetch_read_body", () => mebibyte);
    await expect(desktop.publicFetch("https://x.example/")).rejects.toMatchObject({
      status: 413,
    });
    expect(shell.called("plugin:http|fetch_read_body")).toHaveLength(9);
    expect(shell.called("plugin:http|fetch_cancel_body")).toHaveLength(1);
  });
});
