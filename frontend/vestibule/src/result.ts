// The result of an operation on the session: data, or a failure with a code to branch on.

import { type AuthError, isAuthError, NativeError } from "../native";

export type AuthFailure = AuthError;

export type Result<T> = { data: T; error: null } | { data: null; error: AuthFailure };

export function failure({ code, status, message, retryAfterMs }: AuthError): AuthFailure {
  return { code, status, message, retryAfterMs };
}

/** Better Auth's `{data, error}`, checked and typed; never rejects. */
export async function result<T>(call: Promise<unknown>): Promise<Result<T>> {
  try {
    const { data, error } = (await call) as { data: T; error: { message?: string } | null };
    if (!error) return { data, error: null };
    const known = isAuthError(error) ? error : NativeError.internal(error.message ?? "");
    return { data: null, error: failure(known) };
  } catch (cause) {
    return { data: null, error: failure(NativeError.from(cause)) };
  }
}
