// The newest state of the session that the shell has sent. The read of the state opens a channel, by
// which every later change comes.

import { commands } from "./commands";
import { noteArrival } from "./deadlines";
import { NativeError } from "./errors";
import { insideApp, type Receiver, receiver } from "./ipc";
import type { SessionChanged, SessionState } from "./wire";

/** Why the page does not know the session. */
export type StartFailure = "outside_app" | "no_answer" | "misconfigured" | "cannot_start";

export type Snapshot =
  | { kind: "waiting" }
  | { kind: "failed"; reason: StartFailure; message: string }
  | { kind: "known"; changed: SessionChanged };

export const WAITING: Snapshot = { kind: "waiting" };

function startFailure(cause: unknown): StartFailure {
  const code = cause instanceof NativeError ? cause.code : null;
  return code === "misconfigured" || code === "cannot_start" ? code : "no_answer";
}

export type SnapshotStore = ReturnType<typeof createSnapshotStore>;

export function createSnapshotStore() {
  let snapshot: Snapshot = WAITING;
  let subscription: Receiver<SessionChanged> | null = null;
  const listeners = new Set<() => void>();

  function set(next: Snapshot) {
    snapshot = next;
    for (const listener of [...listeners]) listener();
  }

  /** Takes a snapshot over, unless it is not newer than the current one. */
  function accept(changed: SessionChanged) {
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
      stop();
      const message = cause instanceof Error ? cause.message : "";
      set({ kind: "failed", reason: startFailure(cause), message });
    }
  }

  /** Ends the subscription at once and forgets the snapshot. */
  function stop() {
    subscription?.stop();
    subscription = null;
    snapshot = WAITING;
  }

  function get(): Snapshot {
    return snapshot;
  }

  function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** The state, once it is not `restoring` any more. Rejects only when the signal is aborted. */
  function settled(signal?: AbortSignal | null): Promise<SessionState> {
    return new Promise((resolve, reject) => {
      const look = () => {
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
      const unsubscribe = subscribe(look);
      const done = () => {
        unsubscribe();
        signal?.removeEventListener("abort", abort);
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      look();
    });
  }

  return { start, stop, get, subscribe, settled };
}
