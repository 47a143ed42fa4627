// The shell's errors as the frontend sees them, and the one table that gives each code an HTTP
// status, because Better Auth speaks in statuses.

import type { AuthError, ErrorCode } from "./wire";

export const STATUS: Record<ErrorCode, number> = {
  invalid_input: 422,
  invalid_credentials: 401,
  account_blocked: 403,
  account_locked: 423,
  email_taken: 409,
  rate_limited: 429,
  busy: 429,
  otp_invalid: 400,
  otp_expired: 410,
  otp_too_many: 423,
  no_challenge: 409,
  not_signed_in: 401,
  session_ended: 401,
  session_refused: 401,
  keyring_unread: 503,
  unreachable: 503,
  backend_fault: 502,
  bad_answer: 502,
  not_allowed: 403,
  path_refused: 403,
  too_large: 413,
  unknown_workspace: 404,
  unsupported: 501,
  misconfigured: 500,
  cannot_start: 500,
  internal: 500,
};

/** A failed command. Carries what the UI branches on and a message fit for people. */
export class NativeError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | null;

  constructor({ code, message, retryAfterMs }: AuthError) {
    super(message);
    this.name = "NativeError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  get status(): number {
    return STATUS[this.code];
  }

  static internal(message: string): NativeError {
    return new NativeError({ code: "internal", message, retryAfterMs: null });
  }

  /** What a command rejected with: our own error, or a refusal by Tauri (a plain string). */
  static from(cause: unknown): NativeError {
    if (cause instanceof NativeError) return cause;
    if (isAuthError(cause)) return new NativeError(cause);
    if (typeof cause === "string" && cause !== "") return NativeError.internal(cause);
    if (cause instanceof Error && cause.message) return NativeError.internal(cause.message);
    return NativeError.internal("Something went wrong inside the app.");
  }
}

function isAuthError(value: unknown): value is AuthError {
  if (typeof value !== "object" || value === null) return false;
  const { code, message, retryAfterMs } = value as Partial<AuthError>;
  return (
    typeof code === "string" &&
    Object.hasOwn(STATUS, code) &&
    typeof message === "string" &&
    (retryAfterMs === null || retryAfterMs === undefined || typeof retryAfterMs === "number")
  );
}
