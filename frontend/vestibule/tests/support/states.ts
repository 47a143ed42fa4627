// States and answers that tests start from.

import type {
  AuthError,
  BackendFeatures,
  BrowserSignIn,
  Challenge,
  CodeMethod,
  ErrorCode,
  FetchReply,
  Freshness,
  ListedSession,
  Obstacle,
  OfferedMethod,
  Outage,
  Right,
  SessionState,
  SignedOutReason,
  User,
} from "vestibule";

export const ada: User = {
  id: "u1",
  name: "Ada Lovelace",
  email: "ada@example.com",
  emailVerified: true,
  image: null,
  roles: ["user"],
};

/** Why somebody may be signed out. The compiler finds a reason that is missing here. */
export const SIGNED_OUT_REASONS = Object.keys({
  never: null,
  by_user: null,
  expired: null,
  revoked: null,
  reuse: null,
  device_mismatch: null,
  missing: null,
  provider_moved: null,
} satisfies Record<SignedOutReason, null>) as SignedOutReason[];

/** What a backend of the contract offers. Sign-in by the browser is for tests that are about it. */
export const everything: BackendFeatures = {
  password: true,
  browser: null,
  register: true,
  sessions: true,
  endSession: true,
  endOtherSessions: false,
  logoutAll: true,
  identifier: "email",
};

export function signedIn(
  more: { user?: Partial<User>; freshness?: Freshness; remembered?: boolean; may?: Right[] } = {},
): SessionState {
  return {
    status: "signed_in",
    user: { ...ada, ...more.user },
    session: { id: "s1", userId: "u1", expiresAt: "2030-01-02T03:04:05.000Z" },
    freshness: more.freshness ?? { kind: "fresh" },
    remembered: more.remembered ?? true,
    storage: "ok",
    may: more.may ?? [],
  };
}

export function stale(retryInMs: number | null = null, why: Obstacle | null = null): SessionState {
  return signedIn({ freshness: { kind: "stale", since: Date.now(), retryInMs, why } });
}

export function signedOut(why: SignedOutReason = "never"): SessionState {
  return { status: "signed_out", why, storage: "ok", may: [] };
}

/** A method that a challenge offers. A code of the method `otp` was sent. */
export function offered(method: CodeMethod, more: Partial<OfferedMethod> = {}): OfferedMethod {
  const isSent = method === "otp";
  const isRecovery = method === "recovery";
  return {
    method,
    form: { length: isRecovery ? null : 6, letters: isRecovery },
    canBeSent: isSent,
    sentTo: isSent ? "ada@example.com" : null,
    canTrustDevice: false,
    ...more,
  };
}

export function otpPending(
  resendInMs = 0,
  methods: OfferedMethod[] = [offered("otp")],
  more: Partial<Challenge> = {},
): SessionState {
  const email = "ada@example.com";
  const challenge = { id: "c1", email, resendInMs, methods, trustDays: null, ...more };
  return { status: "otp_pending", challenge, storage: "ok", may: [] };
}

/** A sign-in that goes on in the system's browser, which is open. */
export function browserPending(more: Partial<BrowserSignIn> = {}): SessionState {
  const signIn: BrowserSignIn = {
    id: "b1",
    button: "browser",
    label: null,
    redirect: more.device ? null : "loopback",
    opened: true,
    returned: false,
    device: null,
    expiresInMs: 600_000,
  };
  return { status: "browser_pending", signIn: { ...signIn, ...more }, storage: "ok", may: [] };
}

export function restoring(outage: Outage | null = null, ownerUnknown = false) {
  return {
    status: "restoring",
    outage,
    ownerUnknown,
    storage: "ok",
    may: [],
  } satisfies SessionState;
}

/** What a failed command rejects with. */
export function refused(
  code: ErrorCode,
  message = "The core says why.",
  retryAfterMs: number | null = null,
): AuthError {
  return { code, status: 400, message, retryAfterMs };
}

/** What a command rejects with while the backend does not answer. */
export const unreachable = refused(
  "other",
  "The server cannot be reached. Check your connection and try again.",
);

/** A session of the account, of which the backend says no more than this. */
export function listedSession(id: string, more: Partial<ListedSession> = {}): ListedSession {
  return {
    id,
    name: null,
    browser: null,
    os: null,
    userAgent: null,
    address: null,
    createdAt: null,
    lastUsedAt: null,
    expiresAt: null,
    current: false,
    ...more,
  };
}

export function reply(status: number, value?: unknown): FetchReply {
  const body = value === undefined ? "" : JSON.stringify(value);
  return {
    status,
    headers: [["content-type", "application/json"]],
    body,
    streamed: false,
    length: null,
  };
}
