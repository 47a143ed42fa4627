// The only file that imports @tauri-apps. It calls commands and subscribes to events, does not know
// what they mean, and keeps no state.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Command } from "./command-names.ts";
import { NativeError } from "./errors.ts";

/** Whether this page runs inside the app's window rather than in a browser. */
export function insideApp(): boolean {
  return typeof window !== "undefined" && "__TAURI_INTERNALS__" in window;
}

type Args = Record<string, unknown>;

/** Calls a command of the shell. */
export function call<T>(command: Command, args: Args = {}): Promise<T> {
  return send<T>(command, args);
}

/** Calls a command with bytes instead of arguments. Headers say what the bytes are for. */
export function callRaw<T>(
  command: Command,
  bytes: Uint8Array,
  headers: Record<string, string>,
): Promise<T> {
  return send<T>(command, bytes, { headers });
}

/** Calls a command of the plugin that fetches public content. */
export function callHttp<T>(command: string, args: Args): Promise<T> {
  return send<T>(`plugin:http|${command}`, args);
}

/** Calls a command that the app itself has. */
export function callApp<T>(command: string, args: Args = {}): Promise<T> {
  return send<T>(command, args);
}

/** Every command passes here. Rejects with a `NativeError`, whatever the shell rejected with. */
async function send<T>(
  name: string,
  payload: Args | Uint8Array,
  options?: { headers: Record<string, string> },
): Promise<T> {
  if (!insideApp()) throw NativeError.internal("This page is not running inside the app.");
  try {
    return await invoke<T>(name, payload, options);
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
