// A failed command, as this package throws it. Its sentence comes from the core.

import { type AuthError, type ErrorCode, FAILURES } from "./wire.ts";

/** Why a command failed: what the page branches on, and the core's sentence about it. */
export class NativeError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterMs: number | null;

  constructor({ code, status, message, retryAfterMs }: AuthError, options?: ErrorOptions) {
    super(message, options);
    this.name = "NativeError";
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** A fault of the app. `message` is for developers: people read other words for it. */
  static internal(message: string): NativeError {
    return new NativeError({ ...FAILURES.internal, message });
  }

  /** The page was opened in a browser, where nothing answers a command. */
  static outsideApp(): NativeError {
    return NativeError.internal("This page is not running inside the app.");
  }

  /** What a command rejected with: the core's error, or a refusal by Tauri (a plain string). */
  static from(cause: unknown): NativeError {
    if (cause instanceof NativeError) return cause;
    if (isAuthError(cause)) return new NativeError(cause);
    if (typeof cause === "string" && cause !== "") return NativeError.internal(cause);
    if (cause instanceof Error && cause.message) return NativeError.internal(cause.message);
    return new NativeError(FAILURES.internal);
  }
}

/** Whether a value has the shape of the core's errors. */
function isAuthError(value: unknown): value is AuthError {
  if (typeof value !== "object" || value === null) return false;
  const { code, status, message, retryAfterMs } = value as Partial<AuthError>;
  return (
    typeof code === "string" &&
    typeof status === "number" &&
    typeof message === "string" &&
    (retryAfterMs === null || typeof retryAfterMs === "number")
  );
}
