// The result of an operation on the session: data, or a failure with a code to branch on.

import { NativeError } from "./ipc/errors.ts";
import type { AuthError } from "./ipc/wire.ts";

export type Result<T> = { data: T; error: null } | { data: null; error: AuthError };

/** The failure that a thrown value stands for, as plain data. */
export function failure(cause: unknown): AuthError {
  const { code, status, message, retryAfterMs } = NativeError.from(cause);
  return { code, status, message, retryAfterMs };
}

/** Does the work. A failure of it becomes a result too, so this never rejects. */
export async function result<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return { data: await work(), error: null };
  } catch (cause) {
    return { data: null, error: failure(cause) };
  }
}
