// The newest state of the session that the plugin has sent. The read of the state opens a channel, by
// which every later change comes.

import { createDeadlines } from "./deadlines.ts";
import { commands } from "./ipc/commands.ts";
import { NativeError } from "./ipc/errors.ts";
import { insideApp, type Receiver, receiver } from "./ipc/ipc.ts";
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
  let subscription: Receiver<SessionChanged> | null = null;

  /** Takes a snapshot over, unless it is not newer than the current one. */
  function accept(changed: SessionChanged) {
    const snapshot = get();
    if (snapshot.kind === "known" && changed.revision <= snapshot.changed.revision) return;
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
    const mine = receiver<SessionChanged>(accept);
    subscription = mine;
    try {
      const current = await commands.session(mine.channel);
      if (subscription !== mine) return;
      accept(current);
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
