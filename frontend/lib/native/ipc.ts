// The only file that imports @tauri-apps. It calls commands and opens channels, does not know what
// they mean, and keeps no state.

import { Channel, invoke } from "@tauri-apps/api/core";
import type { Command } from "./command-names";
import { NativeError } from "./errors";

export type { Channel };

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

/** A channel by which a command sends values to this page. Nothing comes after `stop()`. */
export type Receiver<T> = { channel: Channel<T>; stop: () => void };

/** Opens a channel to hand to a command. */
export function receiver<T>(handler: (value: T) => void): Receiver<T> {
  const channel = new Channel<T>(handler);
  return {
    channel,
    stop: () => {
      channel.onmessage = () => undefined;
    },
  };
}
