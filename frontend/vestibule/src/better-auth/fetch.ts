// The fetch that Better Auth's client uses. Commands and the snapshot answer its paths; nothing is
// sent to a network. An unknown path is answered with a 404 in JSON.

import { commands } from "./commands";
import { NativeError } from "./errors";
import { loginFields, otpAnswer, registerFields } from "./payload";
import { sessionRead } from "./session-read";
import type { SnapshotStore } from "./snapshot";

/**
 * A name in `.invalid` never resolves, so a call that bypassed this fetch would reach no server.
 */
export const AUTH_BASE_URL = "http://session.invalid/auth";

type Raw = Record<string, unknown>;
type Paths = readonly [string, ...string[]];

/** `fields` puts in order what a caller gave, for `command`. */
function verb<Fields, Answer>(
  paths: Paths,
  fields: (raw: Raw) => Fields,
  command: (fields: Fields) => Promise<Answer>,
) {
  return { paths, fields, command, run: (raw: Raw): Promise<unknown> => command(fields(raw)) };
}

/** A verb to which a caller gives nothing. */
function plainVerb<Answer>(paths: Paths, command: () => Promise<Answer>) {
  return { paths, fields: null, command, run: (): Promise<unknown> => command() };
}

/**
 * Everything that can be asked of the session, by the names of the client's actions: the actions
 * (`lib/auth/client.ts`) and the facade (`lib/auth.ts`) follow from these rows. The first path is
 * ours, the others are those of Better Auth's own actions.
 */
export const VERBS = {
  login: verb(["/login", "/sign-in/email"], loginFields, commands.login),
  register: verb(["/register", "/sign-up/email"], registerFields, commands.register),
  verifyOtp: verb(["/verify-otp"], otpAnswer, commands.verifyOtp),
  resendOtp: plainVerb(["/resend-otp"], commands.resendOtp),
  cancelOtp: plainVerb(["/cancel-otp"], commands.cancelOtp),
  refreshSession: plainVerb(["/refresh-session"], commands.refresh),
  unlockKeyring: plainVerb(["/unlock-keyring"], commands.unlockKeyring),
  logout: plainVerb(["/logout", "/sign-out"], commands.logout),
};

export type Verb = keyof typeof VERBS;

/** What a caller of a verb gives. */
export type Given<V extends Verb> = (typeof VERBS)[V]["fields"] extends (raw: Raw) => infer Fields
  ? [fields: Fields]
  : [];

/** What the shell answers to it. */
export type Answer<V extends Verb> = Awaited<ReturnType<(typeof VERBS)[V]["command"]>>;

/** Makes something of each verb. */
export function eachVerb<Made>(make: (verb: Verb) => unknown): Made {
  const verbs = Object.keys(VERBS) as Verb[];
  return Object.fromEntries(verbs.map((verb) => [verb, make(verb)])) as Made;
}

const routes = new Map<string, (raw: Raw) => Promise<unknown>>(
  Object.values(VERBS).flatMap(({ paths, run }) =>
    paths.map((path) => [`POST ${path}`, run] as const),
  ),
);

export function createAuthFetch(store: Pick<SnapshotStore, "settled">) {
  return async function authFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input);
    const path = url.pathname.slice(new URL(AUTH_BASE_URL).pathname.length);
    const method = (init?.method ?? "GET").toUpperCase();

    // Reading the session calls no command and sends no request. It waits until it is restored.
    if (path === "/get-session") return json(200, sessionRead(await store.settled(init?.signal)));

    const route = routes.get(`${method} ${path}`);
    if (!route) {
      return json(404, { code: "not_found", message: `No such operation: ${method} ${path}` });
    }
    try {
      return json(200, await route(parse(init?.body)));
    } catch (cause) {
      const { code, status, message, retryAfterMs } = NativeError.from(cause);
      return json(status, { code, status, message, retryAfterMs });
    }
  };
}

function parse(body: RequestInit["body"]): Raw {
  if (typeof body !== "string" || body === "") return {};
  const value: unknown = JSON.parse(body);
  return typeof value === "object" && value !== null ? (value as Raw) : {};
}

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json" },
  });
}
