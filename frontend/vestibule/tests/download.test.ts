import { createVestibule, type DownloadProgress } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "./support/shell";
import { refused, signedIn } from "./support/states";
import { givingPieces, joined, pattern } from "./support/transfers";

const { auth } = createVestibule();

const whole = pattern(700_000);
const pieces = [
  whole.subarray(0, 256_000),
  whole.subarray(256_000, 512_000),
  whole.subarray(512_000),
];

function shellGiving(
  given: (Uint8Array | Error)[] = pieces,
  headers = {},
  length: number | null = null,
) {
  const shell = startShell(signedIn());
  givingPieces(shell, given, headers, length);
  return shell;
}

describe("a body that auth.fetch answers", () => {
  it("is read as bytes, text or JSON, whole and in order", async () => {
    shellGiving();
    const bytes = await (await auth.fetch("/files/1")).arrayBuffer();
    expect(Buffer.compare(new Uint8Array(bytes), whole)).toBe(0);
    const text = new TextEncoder().encode('{"ä":1}');
    shellGiving([text.subarray(0, 3), text.subarray(3)]);
    expect(await (await auth.fetch("/files/2")).json()).toEqual({ ä: 1 });
    shellGiving([]);
    expect(await (await auth.fetch("/files/3")).text()).toBe("");
  });

  it("is asked for only as it is read, and not ahead", async () => {
    const shell = shellGiving();
    const give = shell.handler("backend_read");
    let begun = 0;
    const begunWhenAsked: number[] = [];
    shell.on("backend_read", (args, headers) => {
      begunWhenAsked.push(begun);
      return give(args, headers);
    });
    const response = await auth.fetch("/files/1");
    const reader = response.body?.getReader();
    do begun += 1;
    while (!(await reader?.read())?.done);
    expect(begunWhenAsked, "each read of the page asks for one piece").toEqual([1, 2, 3, 4]);
    const [{ args: asked } = { args: {} }] = shell.called("backend_fetch");
    const [{ args: read } = { args: {} }] = shell.called("backend_read");
    expect((read as { exchange: number }).exchange).toBe((asked as { exchange: number }).exchange);
  });

  it("is asked for no end where its length is known", async () => {
    const shell = shellGiving(pieces, {}, whole.byteLength);
    const bytes = await (await auth.fetch("/files/1")).arrayBuffer();
    expect(Buffer.compare(new Uint8Array(bytes), whole)).toBe(0);
    expect(shell.called("backend_read")).toHaveLength(pieces.length);
    expect(shell.called("backend_cancel")).toHaveLength(0);
  });

  it("ends in the shell when the page cancels it, and not when it has ended", async () => {
    const shell = shellGiving();
    const response = await auth.fetch("/files/1");
    await response.body?.cancel();
    expect(shell.called("backend_cancel")).toHaveLength(1);
    const other = shellGiving();
    await (await auth.fetch("/files/1")).arrayBuffer();
    expect(other.called("backend_cancel")).toHaveLength(0);
  });

  it("ends with its signal, in the shell too, whether it is being read or not", async () => {
    for (const reading of [true, false]) {
      const shell = shellGiving();
      if (reading) shell.on("backend_read", () => new Promise(() => undefined));
      const abort = new AbortController();
      const response = await auth.fetch("/files/1", { signal: abort.signal });
      const text = reading ? response.text() : null;
      text?.catch(() => undefined);
      abort.abort(new Error("enough"));
      await expect(text ?? response.text()).rejects.toThrow("enough");
      expect(shell.called("backend_cancel")).toHaveLength(1);
    }
  });

  it("does not end well when it breaks off", async () => {
    const broken = refused("other", "gone") as unknown as Error;
    const shell = shellGiving([...pieces]);
    let reads = 0;
    shell.on("backend_read", () => {
      reads += 1;
      if (reads > 2) throw broken;
      return pieces[0]?.slice().buffer;
    });
    const response = await auth.fetch("/files/1");
    await expect(response.arrayBuffer()).rejects.toMatchObject({ code: "other", message: "gone" });
  });

  it("can be counted on its way", async () => {
    shellGiving(pieces, { "content-length": "700000", "content-type": "application/pdf" });
    const seen: DownloadProgress[] = [];
    const response = auth.counted(await auth.fetch("/files/1"), (now) => seen.push(now));
    expect(response.headers.get("content-type")).toBe("application/pdf");
    const body = await response.arrayBuffer();
    expect(Buffer.compare(new Uint8Array(body), joined(pieces))).toBe(0);
    const total = 700_000;
    const steps = [0, 256_000, 512_000, 700_000];
    expect(seen).toEqual(steps.map((received) => ({ received, total })));
    shellGiving(pieces);
    const untold = auth.counted(await auth.fetch("/files/1"), (now) => seen.push(now));
    await untold.body?.cancel();
    expect(seen.at(-1)).toEqual({ received: 0, total: null });
  });
});
