// The newest state of the session that the shell has sent. An instance has one subscription. It is
// opened before the first read, so that no change is missed between the two.

import { createDeadlines } from "./deadlines.ts";
import { commands } from "./ipc/commands.ts";
import { NativeError } from "./ipc/errors.ts";
import { insideApp, type Subscription, subscribeTo } from "./ipc/ipc.ts";
import type { SessionChanged, SessionState } from "./ipc/wire.ts";
import { createSessionReader } from "./session-read.ts";
import { createStore } from "./store.ts";

/** Why the page does not know the session. */
export type StartFailure = "outside_app" | "no_answer" | "misconfigured" | "cannot_start";

export type Snapshot =
  | { kind: "waiting" }
  | { kind: "failed"; reason: StartFailure; message: string }
  | { kind: "known"; changed: SessionChanged };

const WAITING: Snapshot = { kind: "waiting" };

const UNKNOWN: SessionState = {
  status: "restoring",
  outage: null,
  ownerUnknown: false,
  storage: "ok",
  may: [],
};

/** The whole state of the session: freshness, why it ended, the challenge, the storage. */
export function stateOf(snapshot: Snapshot): SessionState {
  return snapshot.kind === "known" ? snapshot.changed.state : UNKNOWN;
}

function startFailure(cause: unknown): StartFailure {
  const code = cause instanceof NativeError ? cause.code : null;
  return code === "misconfigured" || code === "cannot_start" ? code : "no_answer";
}

export type SnapshotStore = ReturnType<typeof createSnapshotStore>;

export function createSnapshotStore() {
  const { initial, get, set, subscribe } = createStore<Snapshot>(WAITING);
  const { noteArrival, dueAt } = createDeadlines();
  let subscription: Subscription | null = null;

  /** Takes a snapshot over, unless it is of another workspace or not newer than the current one. */
  function accept(changed: SessionChanged) {
    const snapshot = get();
    if (snapshot.kind === "known") {
      if (changed.workspace !== snapshot.changed.workspace) return;
      if (changed.revision <= snapshot.changed.revision) return;
    }
    noteArrival(changed.state);
    set({ kind: "known", changed });
  }

  /** Subscribes to the session and reads it. Does nothing where that has been done. */
  async function start(): Promise<void> {
    if (subscription) return;
    if (!insideApp()) {
      set({ kind: "failed", reason: "outside_app", message: "" });
      return;
    }
    // Events wait until the first read has named this window's workspace.
    const early: SessionChanged[] = [];
    let named = false;
    const mine = subscribeTo<SessionChanged>("session-changed", (changed) => {
      if (named) accept(changed);
      else early.push(changed);
    });
    subscription = mine;
    try {
      await mine.ready;
      if (subscription !== mine) return;
      const current = await commands.session();
      if (subscription !== mine) return;
      named = true;
      accept(current);
      for (const changed of early) accept(changed);
    } catch (cause) {
      if (subscription !== mine) return;
      unsubscribe();
      const message = cause instanceof Error ? cause.message : "";
      set({ kind: "failed", reason: startFailure(cause), message });
    }
  }

  function unsubscribe() {
    subscription?.stop();
    subscription = null;
  }

  /** Ends the subscription at once and forgets the snapshot. */
  function stop() {
    unsubscribe();
    set(WAITING);
  }

  /** The state, once it is not `restoring` any more. Rejects only when the signal is aborted. */
  function settled(signal?: AbortSignal | null): Promise<SessionState> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const snapshot = get();
        if (snapshot.kind !== "known") return false;
        const { state } = snapshot.changed;
        if (state.status === "restoring") return false;
        done();
        resolve(state);
        return true;
      };
      const abort = () => {
        done();
        reject(signal?.reason);
      };
      const leave = subscribe(look);
      const done = () => {
        leave();
        signal?.removeEventListener("abort", abort);
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      look();
    });
  }

  return {
    initial,
    get,
    subscribe,
    start,
    stop,
    settled,
    /** What a page may read of a state: the user and the session, or null. */
    read: createSessionReader(),
    dueAt,
  };
}
