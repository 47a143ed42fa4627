import { createVestibule, type UploadProgress } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "./support/shell";
import { refused, reply, signedIn } from "./support/states";
import { pattern, taken, takingUploads } from "./support/transfers";

const { auth } = createVestibule();

const PIECE = 256 * 1024;
const LARGE = 3 * 1024 * 1024 + 5;

function shellTaking(verdict = () => taken) {
  const shell = startShell(signedIn());
  return { shell, given: takingUploads(shell, verdict) };
}

function streamed(bytes: Uint8Array, step: number, onCancel = (_: unknown) => {}) {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + step));
      at += step;
    },
    cancel: onCancel,
  });
}

describe("a body that auth.fetch sends", () => {
  it("goes in raw pieces, whole and in order, with its type and length", async () => {
    const { given } = shellTaking();
    const bytes = pattern(LARGE);
    const body = new File([bytes], "a.png", { type: "image/png" });
    const response = await auth.fetch("/files", { method: "put", body });
    expect(await response.json()).toEqual({ taken: true });
    expect(given.request()).toEqual({
      path: "/files",
      method: "PUT",
      headers: [["content-type", "image/png"]],
      length: LARGE,
      replayable: true,
    });
    expect(given.pieces().every((piece) => piece.byteLength <= PIECE)).toBe(true);
    expect(Buffer.compare(given.body(), bytes)).toBe(0);
  });

  it.each([
    ["an ArrayBuffer", (bytes: Uint8Array<ArrayBuffer>) => bytes.buffer],
    ["a view", (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer)],
    ["a short stream", (bytes: Uint8Array<ArrayBuffer>) => streamed(bytes, 700)],
  ])("may be %s, and can be given again", async (_name, make) => {
    const { given } = shellTaking();
    const bytes = pattern(5000);
    await auth.fetch("/files", { body: make(bytes) });
    expect(given.request()).toMatchObject({ method: "POST", length: 5000, replayable: true });
    expect(Buffer.compare(given.body(), bytes)).toBe(0);
  });

  it("may be a long stream, which cannot be given again", async () => {
    const { given } = shellTaking();
    const bytes = pattern(LARGE);
    await auth.fetch("/files", { body: streamed(bytes, 300_000) });
    expect(given.request()).toMatchObject({ length: null, replayable: false });
    expect(Buffer.compare(given.body(), bytes)).toBe(0);
    expect(given.pieces().every((piece) => piece.byteLength <= PIECE)).toBe(true);
  });

  it("may be a form with files", async () => {
    const { given } = shellTaking();
    const form = new FormData();
    form.set('na"me', "one\ntwo");
    form.set("file", new File(["\x00ÿ"], 'a"b.bin'));
    await auth.fetch("/files", { body: form, headers: { "content-type": "text/plain" } });
    const [[, type] = ["", ""]] = given.request().headers;
    const parsed = await new Response(given.body().slice(), {
      headers: { "content-type": type },
    }).formData();
    expect(parsed.get('na"me')).toBe("one\r\ntwo");
    const file = parsed.get("file") as File;
    expect([file.name, await file.text()]).toEqual(['a"b.bin', "\x00ÿ"]);
  });

  it("may be long text, which goes as bytes", async () => {
    const { given, shell } = shellTaking();
    const text = "ä".repeat(700_000);
    await auth.fetch("/files", { body: text });
    expect(shell.requests()).toHaveLength(0);
    expect(new TextDecoder().decode(given.body())).toBe(text);
    expect(given.request().headers).toEqual([["content-type", "text/plain;charset=UTF-8"]]);
  });

  it("is given once more where the shell wants that", async () => {
    const shell = startShell(signedIn());
    const given = takingUploads(shell, (times) => (times === 1 ? { kind: "again" } : taken));
    const bytes = pattern(600_000);
    const progress: UploadProgress[] = [];
    const onUploadProgress = (now: UploadProgress) => progress.push(now);
    await auth.fetch("/files", { body: new Blob([bytes]), onUploadProgress });
    expect(given.times()).toBe(2);
    expect(Buffer.compare(given.body(1), bytes)).toBe(0);
    expect(progress.filter(({ sent }) => sent === 0)).toHaveLength(2);
  });

  it("stops where no more is wanted, and the answer says why", async () => {
    const refusal = { kind: "answer" as const, reply: reply(413, { message: "too large" }) };
    const { given } = shellTaking(() => refusal);
    given.want(2);
    const response = await auth.fetch("/files", { body: new Blob([pattern(LARGE)]) });
    expect(response.status).toBe(413);
    expect(given.pieces()).toHaveLength(2);
  });

  it("tells how far it has come", async () => {
    shellTaking();
    const seen: UploadProgress[] = [];
    const onUploadProgress = (now: UploadProgress) => seen.push(now);
    await auth.fetch("/files", { body: new Blob([pattern(PIECE * 2 + 1)]), onUploadProgress });
    const total = PIECE * 2 + 1;
    expect(seen).toEqual([0, PIECE, PIECE * 2, total].map((sent) => ({ sent, total })));
  });

  it("ends with its signal, in the shell too, and lets go of its stream", async () => {
    const { shell, given } = shellTaking();
    shell.on("backend_write", () => new Promise(() => undefined));
    const abort = new AbortController();
    let let_go: unknown;
    const body = streamed(pattern(LARGE), 300_000, (reason) => {
      let_go = reason ?? "let go";
    });
    const pending = auth.fetch("/files", { body, signal: abort.signal });
    await expect.poll(() => shell.called("backend_write")).toHaveLength(1);
    abort.abort(new Error("enough"));
    await expect(pending).rejects.toThrow("enough");
    expect(shell.called("backend_cancel")).toHaveLength(1);
    expect(given.pieces()).toHaveLength(0);
    await expect.poll(() => let_go).toBe("let go");
  });

  it("ends when its own source fails, and half of it does not pass for the whole", async () => {
    const { shell } = shellTaking();
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        at += 1;
        if (at > 6) throw new Error("the file is gone");
        controller.enqueue(pattern(300_000));
      },
    });
    await expect(auth.fetch("/files", { body })).rejects.toThrow("the file is gone");
    expect(shell.called("backend_answer")).toHaveLength(0);
    expect(shell.called("backend_cancel")).toHaveLength(1);
  });

  it("rejects with the shell's reason", async () => {
    const { shell } = shellTaking();
    shell.on("backend_answer", () => {
      throw refused("other", "gone");
    });
    const sending = auth.fetch("/files", { body: new Blob([pattern(10)]) });
    await expect(sending).rejects.toMatchObject({ code: "other", message: "gone" });
  });
});
