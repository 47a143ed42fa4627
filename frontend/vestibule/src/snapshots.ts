// The newest state of the session that the plugin has sent. The read of the state opens a channel, by
// which every later change comes.

import { createDeadlines } from "./deadlines.ts";
import { commands } from "./ipc/commands.ts";
import type { NativeError } from "./ipc/errors.ts";
import { insideApp } from "./ipc/ipc.ts";
import type { BackendFeatures, SessionChanged, SessionState } from "./ipc/wire.ts";
import { createSessionReader } from "./session-read.ts";
import { createStore } from "./store.ts";
import { createSubscription } from "./subscription.ts";

/** Why the page does not know the session. `no_account`: none is chosen in this window. */
export type StartFailure =
  | "outside_app"
  | "no_answer"
  | "no_account"
  | "misconfigured"
  | "cannot_start";

export type Snapshot =
  | { kind: "waiting" }
  | { kind: "failed"; reason: StartFailure; message: string }
  | { kind: "known"; changed: SessionChanged };

const WAITING: Snapshot = { kind: "waiting" };

/** A change of the state takes milliseconds to the page. */
const CHANGE_TIMEOUT_MS = 1000;

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

const NOTHING: BackendFeatures = {
  password: false,
  browser: null,
  register: false,
  sessions: false,
  endSession: false,
  endOtherSessions: false,
  logoutAll: false,
  identifier: "email",
};

/** What the backend offers; nothing, as long as that is not known. */
export function offeredBy(snapshot: Snapshot): BackendFeatures {
  return snapshot.kind === "known" ? snapshot.changed.offers : NOTHING;
}

function startFailure({ code }: NativeError): StartFailure {
  if (!insideApp()) return "outside_app";
  switch (code) {
    case "no_account":
    case "misconfigured":
    case "cannot_start":
      return code;
    default:
      return "no_answer";
  }
}

export type SnapshotStore = ReturnType<typeof createSnapshotStore>;

export function createSnapshotStore() {
  const { initial, get, set, subscribe } = createStore<Snapshot>(WAITING);
  const { noteArrival, dueAt } = createDeadlines();
  const subscription = createSubscription(commands.session, {
    onValue: (changed) => {
      noteArrival(changed.state);
      set({ kind: "known", changed });
    },
    onFailure: (cause) =>
      set({ kind: "failed", reason: startFailure(cause), message: cause.message }),
  });

  /** Ends the subscription at once and forgets the snapshot. */
  function stop() {
    subscription.stop();
    set(WAITING);
  }

  /** The state where it is not `restoring` any more, else null. */
  function settledNow(): SessionState | null {
    const state = stateOf(get());
    return state.status === "restoring" ? null : state;
  }

  /** The state, once it is not `restoring` any more. Rejects only when the signal is aborted. */
  function settled(signal?: AbortSignal | null): Promise<SessionState> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const state = settledNow();
        if (!state) return;
        done();
        resolve(state);
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

  /**
   * For a verb that may have changed the state it found. The change has come by the channel, or comes in a
   * moment; where it does not it is read, since the page would wait for it without end.
   */
  function expectChange(found: Snapshot) {
    setTimeout(() => {
      const now = get();
      // A sign-in by the browser has two changes.
      const isMissing = now === found || stateOf(now).status === "browser_pending";
      if (isMissing) void subscription.readAgain();
    }, CHANGE_TIMEOUT_MS);
  }

  return {
    initial,
    get,
    subscribe,
    expectChange,
    /** Subscribes to the session and reads it. Does nothing where that has been done. */
    start: subscription.start,
    stop,
    settledNow,
    settled,
    /** What a page may read of a state: the user and the session, or null. */
    read: createSessionReader(),
    dueAt,
  };
}
