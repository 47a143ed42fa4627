// What an operation on the session came to: data, or a failure with a code to branch on.

import { type ErrorCode, NativeError, STATUS } from "../native";

export type AuthFailure = {
  code: ErrorCode;
  message: string;
  retryAfterMs: number | null;
  status: number;
};

export type Result<T> = { data: T; error: null } | { data: null; error: AuthFailure };

export function failure({ code, message, retryAfterMs, status }: NativeError): AuthFailure {
  return { code, message, retryAfterMs, status };
}

/** Better Auth's `{data, error}`, checked and typed; never rejects. */
export async function result<T>(call: Promise<unknown>): Promise<Result<T>> {
  try {
    const { data, error } = (await call) as { data: T; error: Partial<AuthFailure> | null };
    if (!error) return { data, error: null };
    const { code, message, retryAfterMs, status } = error;
    if (!code || !Object.hasOwn(STATUS, code)) {
      return { data: null, error: failure(NativeError.internal(message ?? "")) };
    }
    return {
      data: null,
      error: {
        code,
        message: message ?? "",
        retryAfterMs: retryAfterMs ?? null,
        status: status ?? STATUS[code],
      },
    };
  } catch (cause) {
    return { data: null, error: failure(NativeError.from(cause)) };
  }
}
