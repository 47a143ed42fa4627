import { createVestibule } from "vestibule";
import { describe, expect, it } from "vitest";
import { shellServing } from "./support/public-content";
import { startShell } from "./support/shell";
import { refused, reply, restoring, signedOut } from "./support/states";

const { describe: say, failures } = createVestibule().messages;

describe("a failure in words", () => {
  it.each(Object.entries(failures))("%s: is said in whole sentences", (_name, failure) => {
    expect(say(failure)).toMatch(/^[A-Z].*\.$/);
  });

  it("is said in the words of the core", () => {
    expect(say({ ...failures.badAnswer, message: "Their words." })).toBe("Their words.");
  });

  it("shows nobody the details of a fault of the app", () => {
    const failure = { ...failures.internal, message: "window not allowed to call login" };
    expect(say(failure)).toBe(failures.internal.message);
  });
});

describe("an app's own words", () => {
  const { auth, desktop, messages } = createVestibule({
    words: {
      obstacles: { portal: { problem: "Hier antwortet ein Portal", advice: "Anmelden" } },
      failures: {
        badAnswer: "Unverständlich.",
        tooLarge: "Zu groß.",
        notSignedIn: "Nicht angemeldet.",
        internal: "Ein Fehler der App.",
      },
      errors: { invalid_credentials: "Adresse oder Passwort stimmt nicht." },
      endings: { expired: { title: "Abgelaufen", text: "Bitte neu anmelden." } },
      keyringBlocked: { locked: { title: "Verschlossen", text: "Bitte öffnen." } },
      keyringActions: { unlock: "Öffnen", stillLocked: "Noch immer verschlossen." },
    },
  });
  const own = createVestibule().messages;

  it("replace those of an obstacle, and the others stay", () => {
    expect(messages.obstacle("portal")).toBe("Hier antwortet ein Portal. Anmelden.");
    expect(messages.obstacle("gateway")).toBe(own.obstacle("gateway"));
    expect(messages.ofStatus(511).message).toBe("Hier antwortet ein Portal. Anmelden.");
  });

  it("replace those of a failure that a command answers, by its code", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => Promise.reject(refused("invalid_credentials", "Wrong.")));
    shell.on("register", () => Promise.reject(refused("email_taken", "Taken.")));
    const typed = { name: "A", email: "a@b.c", password: "p" };
    const { error: wrong } = await auth.login(typed);
    const { error: taken } = await auth.register(typed);
    expect(wrong && messages.describe(wrong)).toBe("Adresse oder Passwort stimmt nicht.");
    expect(wrong && own.describe(wrong), "another instance keeps the core's").toBe("Wrong.");
    expect(taken && messages.describe(taken), "this code has no other words").toBe("Taken.");
  });

  it("replace those of the failures that a page finds by itself", async () => {
    const shell = startShell(signedOut());
    await auth.start();
    shell.on("backend_fetch", () => reply(99));
    const cause: unknown = await auth.fetch("/x").catch((error: unknown) => error);
    expect(auth.failure(cause).message).toBe("Unverständlich.");
    const refusal = auth.refusal(new Response(null, { status: 401 }));
    expect(refusal.message).toBe("Nicht angemeldet.");
    expect(messages.describe({ ...refusal, code: "internal" })).toBe("Ein Fehler der App.");

    const mebibyte = new Uint8Array((1 << 20) + 1).buffer;
    shellServing(200, []).on("plugin:http|fetch_read_body", () => mebibyte);
    await expect(desktop.publicFetch("https://x.example/")).rejects.toThrow("Zu groß.");
  });

  it("replace those of an ending, and its weight stays", () => {
    const expired = { title: "Abgelaufen", text: "Bitte neu anmelden.", grave: false };
    expect(messages.ending("expired")).toEqual(expired);
    expect(messages.ending("reuse")).toEqual(own.ending("reuse"));
    expect(messages.ending("reuse").grave).toBe(true);
  });

  it("replace those of the keyring", () => {
    const locked = { ...restoring(), storage: "locked" } as const;
    expect(messages.keyring(locked)).toEqual({
      title: "Verschlossen",
      text: "Bitte öffnen.",
      action: "Öffnen",
      still: "Noch immer verschlossen.",
      blocks: true,
    });
    const absent = { ...restoring(), storage: "absent" } as const;
    expect(messages.keyring(absent)).toEqual(own.keyring(absent));
  });
});
