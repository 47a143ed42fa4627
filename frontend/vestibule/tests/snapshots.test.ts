import type { SessionChanged } from "vestibule";
import { describe, expect, it, vi } from "vitest";
import { commands } from "../src/ipc/commands";
import { receiver } from "../src/ipc/ipc";
import { createSnapshotStore } from "../src/snapshots";
import { startShell } from "./support/shell";
import {
  browserPending,
  everything,
  refused,
  restoring,
  signedIn,
  signedOut,
} from "./support/states";

const at = (revision: number, state = signedIn()): SessionChanged => ({
  workspace: "default",
  revision,
  cause: "refresh",
  state,
  offers: everything,
});

const revisionOf = (store: ReturnType<typeof createSnapshotStore>) => {
  const snapshot = store.get();
  return snapshot.kind === "known" ? snapshot.changed.revision : null;
};

describe("the snapshot store", () => {
  it("reads once and opens one channel, however often it is started", async () => {
    const shell = startShell(signedIn());
    const store = createSnapshotStore();
    await Promise.all([store.start(), store.start()]);
    await store.start();
    expect(shell.called("session")).toHaveLength(1);
    expect(shell.channels).toHaveLength(1);
  });

  it("keeps the newest revision and ignores older and equal ones", async () => {
    const shell = startShell(signedIn());
    const store = createSnapshotStore();
    await store.start();
    shell.send(at(5));
    const held = store.get();
    let woken = 0;
    store.subscribe(() => {
      woken += 1;
    });
    shell.send(at(4, signedOut()));
    shell.send(at(5, signedOut()));
    expect(store.get(), "an older or repeated event must not replace the state").toBe(held);
    expect(woken, "nor wake anyone").toBe(0);
    shell.send(at(6, signedOut("by_user")));
    expect(revisionOf(store)).toBe(6);
    expect(woken).toBe(1);
  });

  it("keeps a change that arrives while the first read is under way", async () => {
    const shell = startShell(signedIn());
    let answer: (changed: SessionChanged) => void = () => undefined;
    shell.on("session", () => new Promise((resolve) => (answer = resolve)));
    const store = createSnapshotStore();
    const started = store.start();
    while (shell.called("session").length === 0) await Promise.resolve();
    shell.send(at(3, signedOut("revoked")));
    shell.send(at(1, signedOut("expired")));
    answer(at(2));
    await started;
    expect(revisionOf(store)).toBe(3);
  });

  it("stops at once, even while the first read is under way", async () => {
    const shell = startShell(signedIn());
    const store = createSnapshotStore();
    const started = store.start();
    store.stop();
    await started;
    shell.send(at(7));
    expect(store.get().kind).toBe("waiting");

    await store.start();
    store.stop();
    shell.send(at(8));
    expect(store.get().kind).toBe("waiting");
  });

  it("stops calling a listener the moment it unsubscribes", async () => {
    const shell = startShell(signedIn());
    const store = createSnapshotStore();
    await store.start();
    let woken = 0;
    const unsubscribe = store.subscribe(() => {
      woken += 1;
    });
    unsubscribe();
    shell.send(at(1));
    expect(woken).toBe(0);
  });

  it("counts the time of a sign-in in the browser from its arrival, not from the first look", async () => {
    vi.useFakeTimers();
    const shell = startShell(signedOut());
    const store = createSnapshotStore();
    await store.start();
    const pending = browserPending({ expiresInMs: 600_000 });
    shell.send(at(1, pending));
    const arrived = performance.now();
    vi.advanceTimersByTime(90_000);
    const { signIn } = pending as Extract<typeof pending, { status: "browser_pending" }>;
    expect(store.dueAt(signIn, signIn.expiresInMs)).toBe(arrived + 600_000);
  });

  it("says so when the shell gives no answer, and can start again", async () => {
    const shell = startShell(signedIn());
    shell.on("session", () => {
      throw refused("internal", "the core is not up");
    });
    const store = createSnapshotStore();
    await store.start();
    expect(store.get()).toEqual({
      kind: "failed",
      reason: "no_answer",
      message: "the core is not up",
    });
    shell.on("session", () => at(1));
    await store.start();
    expect(revisionOf(store)).toBe(1);
  });

  it("knows when the window has no account", async () => {
    const shell = startShell(signedIn());
    shell.on("session", () => {
      throw refused("no_account", "No account is chosen.");
    });
    const store = createSnapshotStore();
    await store.start();
    expect(store.get()).toMatchObject({ kind: "failed", reason: "no_account" });
  });

  it("knows when it is not inside the app", async () => {
    startShell(signedIn());
    const { channel } = receiver<SessionChanged>(() => undefined);
    Reflect.deleteProperty(window, "__TAURI_INTERNALS__");
    const store = createSnapshotStore();
    await store.start();
    expect(store.get()).toMatchObject({ kind: "failed", reason: "outside_app" });
    await expect(commands.session(channel)).rejects.toMatchObject({ code: "internal" });
  });

  it("gives the settled state once it is no longer restoring, or the reason of an abort", async () => {
    const shell = startShell(restoring());
    const store = createSnapshotStore();
    const waiting = store.settled();
    const abort = new AbortController();
    const aborted = store.settled(abort.signal);
    await store.start();
    shell.send(at(1, restoring({ since: 1, retryInMs: null, why: null })));
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    await expect(store.settled(abort.signal)).rejects.toMatchObject({ name: "AbortError" });
    shell.send(at(2, signedIn()));
    expect((await waiting).status).toBe("signed_in");
    expect((await store.settled()).status, "and at once when it is settled already").toBe(
      "signed_in",
    );
  });
});
