// The only file that imports @tauri-apps. It calls commands and subscribes to events, does not know
// what they mean, and keeps no state.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Command } from "./command-names";
import { NativeError } from "./errors";

/** Whether this page runs inside the app's window rather than in a browser. */
export function insideApp(): boolean {
  return typeof window !== "undefined" && "__TAURI_INTERNALS__" in window;
}

/** A command of the app, or of the plugin that fetches public content. */
type Callable = Command | `plugin:http|${string}`;

/** Calls a command. Rejects with a `NativeError`, whatever the shell rejected with. */
export async function call<T>(command: Callable, args: Record<string, unknown> = {}): Promise<T> {
  if (!insideApp()) throw NativeError.internal("This page is not running inside the app.");
  try {
    return await invoke<T>(command, args);
  } catch (cause) {
    throw NativeError.from(cause);
  }
}

/** Calls a command with bytes instead of arguments. Headers say what the bytes are for. */
export async function callRaw<T>(
  command: Command,
  bytes: Uint8Array,
  headers: Record<string, string>,
): Promise<T> {
  if (!insideApp()) throw NativeError.internal("This page is not running inside the app.");
  try {
    return await invoke<T>(command, bytes, { headers });
  } catch (cause) {
    throw NativeError.from(cause);
  }
}

/** A subscription. `ready` resolves once events arrive; `stop` takes effect at once. */
export type Subscription = { ready: Promise<void>; stop: () => void };

/** Subscribes to an event. The handler is not called again after `stop()` returns. */
export function subscribeTo<T>(event: string, handler: (payload: T) => void): Subscription {
  let active = true;
  const listening = listen<T>(event, ({ payload }) => {
    if (active) handler(payload);
  });
  return {
    ready: listening.then(
      () => undefined,
      (cause) => {
        throw NativeError.from(cause);
      },
    ),
    stop: () => {
      active = false;
      listening.then((unlisten) => unlisten()).catch(() => undefined);
    },
  };
}
