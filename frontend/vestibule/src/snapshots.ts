// The newest state of the session that the shell has sent. Each page has one subscription. It is
// opened before the first read, so that no change is missed between the two.

import { commands } from "./commands";
import { noteArrival } from "./deadlines";
import { NativeError } from "./errors";
import { insideApp, type Subscription, subscribeTo } from "./ipc";
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
  let subscription: Subscription | null = null;
  const listeners = new Set<() => void>();

  function set(next: Snapshot) {
    snapshot = next;
    for (const listener of [...listeners]) listener();
  }

  /** Takes a snapshot over, unless it is of another workspace or not newer than the current one. */
  function accept(changed: SessionChanged) {
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
