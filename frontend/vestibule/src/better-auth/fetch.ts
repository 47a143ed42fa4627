// The fetch that Better Auth's client uses. An instance answers its paths; nothing is sent to a
// network. An unknown path is answered with a 404 in JSON.

import type { Auth, CodeMethod, LoginInput, Result, SignInOutcome } from "../index.ts";

/**
 * A name in `.invalid` never resolves, so a call that bypassed this fetch would reach no server.
 */
export const AUTH_BASE_URL = "http://session.invalid/auth";

type Raw = Record<string, unknown>;
type Answer = (auth: Auth, body: Raw) => Promise<Result<unknown>>;

/** Answers the paths of Better Auth's own actions. Its client has made JSON of their fields. */
const ANSWERS = new Map<string, Answer>([
  ["POST /sign-in/email", async (auth, body) => twoFactor(auth, await auth.login(login(body)))],
  // A provider by its name is the button of that name.
  [
    "POST /sign-in/social",
    async (auth, body) =>
      twoFactor(auth, await auth.signInByBrowser({ button: text(body.provider) || undefined })),
  ],
  [
    "POST /sign-up/email",
    (auth, body) =>
      auth.register({ ...login(body), name: text(body.name), more: members(body.more) }),
  ],
  ["POST /sign-out", (auth) => auth.logout()],
  ["GET /list-sessions", listSessions],
  ["POST /revoke-session", async (auth, body) => done(await auth.endSession(text(body.token)))],
  ["POST /revoke-other-sessions", async (auth) => done(await auth.endOtherSessions())],
  ["POST /two-factor/verify-totp", verifying("totp")],
  ["POST /two-factor/verify-otp", verifying("otp")],
  ["POST /two-factor/verify-backup-code", verifying("recovery")],
  ["POST /two-factor/send-otp", (auth) => auth.sendOtp()],
]);

/**
 * Better Auth's client names a session by its token, and `revokeSession` wants that. The plugin's id of
 * it stands in its place, which is of no use anywhere else.
 */
async function listSessions(auth: Auth): Promise<Result<unknown>> {
  const { data, error } = await auth.listSessions();
  if (error) return { data: null, error };
  const user = (await auth.getSession())?.user.id;
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    data: data.sessions.map((one) => ({
      id: one.id,
      token: one.id,
      userId: user,
      createdAt: time(one.createdAt),
      updatedAt: time(one.lastUsedAt),
      expiresAt: time(one.expiresAt),
      ipAddress: one.address,
      userAgent: one.userAgent,
    })),
    error: null,
  };
}

function done(ended: Result<null>): Result<unknown> {
  return ended.error ? ended : { data: { status: true }, error: null };
}

export function createAuthFetch(auth: Auth) {
  return async function authFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input);
    const path = url.pathname.slice(new URL(AUTH_BASE_URL).pathname.length);
    const method = (init?.method ?? "GET").toUpperCase();

    // Reading the session calls no command and sends no request. It waits until it is restored.
    if (path === "/get-session") return json(200, await auth.getSession(init?.signal));

    const answer = ANSWERS.get(`${method} ${path}`);
    if (!answer) {
      return json(404, { code: "not_found", message: `No such operation: ${method} ${path}` });
    }
    const { data, error } = await answer(auth, parse(init?.body));
    return error ? json(error.status, error) : json(200, data);
  };
}

/**
 * The same result, and where a second factor is wanted, what Better Auth's client expects then. It
 * names no backup codes among the methods, as Better Auth's server does not.
 */
function twoFactor(auth: Auth, result: Result<SignInOutcome>): Result<unknown> {
  if (result.data?.outcome !== "otp_required") return result;
  const state = auth.state();
  const methods = state.status === "otp_pending" ? state.challenge.methods : [];
  const twoFactorMethods = methods.map(({ method }) => method).filter((it) => it !== "recovery");
  return { data: { ...result.data, twoFactorRedirect: true, twoFactorMethods }, error: null };
}

function verifying(method: CodeMethod): Answer {
  return (auth, { code, trustDevice }) =>
    auth.verifyOtp({ code: text(code), method, trustDevice: trustDevice === true });
}

function login(body: Raw): LoginInput {
  const { email, password, fingerprint } = body;
  return { email: text(email), password: text(password), fingerprint: members(fingerprint) };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function members(value: unknown): Raw | undefined {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value);
  return plain ? (value as Raw) : undefined;
}

function parse(body: RequestInit["body"]): Raw {
  if (typeof body !== "string" || body === "") return {};
  return members(JSON.parse(body)) ?? {};
}

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json" },
  });
}
