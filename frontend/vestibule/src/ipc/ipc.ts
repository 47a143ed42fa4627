// The only file that imports @tauri-apps. It calls commands and opens channels, does not know what
// they mean, and keeps no state.

import { Channel, invoke } from "@tauri-apps/api/core";
import { NativeError } from "./errors.ts";

export type { Channel };

/** Whether this page runs inside the app's window rather than in a browser. */
export function insideApp(): boolean {
  return typeof window !== "undefined" && "__TAURI_INTERNALS__" in window;
}

type Args = Record<string, unknown>;

/** Calls a command of Vestibule's plugin. */
export function call<T>(command: string, args: Args = {}): Promise<T> {
  return send<T>(`plugin:vestibule|${command}`, args);
}

/** Calls a command with bytes instead of arguments. Headers say what the bytes are for. */
export function callRaw<T>(
  command: string,
  bytes: Uint8Array,
  headers: Record<string, string>,
): Promise<T> {
  return send<T>(`plugin:vestibule|${command}`, bytes, { headers });
}

/** Calls a command of tauri-plugin-http, which fetches public content. */
export function callHttp<T>(command: string, args: Args): Promise<T> {
  return send<T>(`plugin:http|${command}`, args);
}

/** Calls a command that the app itself has. */
export function callApp<T>(command: string, args: Args = {}): Promise<T> {
  return send<T>(command, args);
}

/** Every command passes here. Rejects with a `NativeError`, whatever the command rejected with. */
async function send<T>(
  name: string,
  payload: Args | Uint8Array,
  options?: { headers: Record<string, string> },
): Promise<T> {
  if (!insideApp()) throw NativeError.outsideApp();
  try {
    return await invoke<T>(name, payload, options);
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
