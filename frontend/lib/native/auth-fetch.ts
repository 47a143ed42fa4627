// The fetch that Better Auth's client uses. Commands and the snapshot answer its paths; nothing is
// sent to a network. An unknown path is answered with a 404 in JSON.

import { commands } from "./commands";
import { NativeError } from "./errors";
import { loginFields, otpAnswer, registerFields } from "./payload";
import { sessionRead } from "./session-read";
import type { SnapshotStore } from "./snapshot";

/** A name in `.invalid` never resolves, so a call that bypassed this fetch would reach no server. */
export const AUTH_BASE_URL = "http://session.invalid/auth";

type Raw = Record<string, unknown>;

const routes: Record<string, (body: Raw) => Promise<unknown>> = {
  "POST /login": (body) => commands.login(loginFields(body)),
  "POST /sign-in/email": (body) => commands.login(loginFields(body)),
  "POST /register": (body) => commands.register(registerFields(body)),
  "POST /sign-up/email": (body) => commands.register(registerFields(body)),
  "POST /verify-otp": (body) => commands.verifyOtp(otpAnswer(body)),
  "POST /resend-otp": () => commands.resendOtp(),
  "POST /cancel-otp": () => commands.cancelOtp(),
  "POST /refresh-session": () => commands.refresh(),
  "POST /unlock-keyring": () => commands.unlockKeyring(),
  "POST /logout": () => commands.logout(),
  "POST /sign-out": () => commands.logout(),
};

export function createAuthFetch(store: Pick<SnapshotStore, "settled">) {
  return async function authFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input);
    const path = url.pathname.slice(new URL(AUTH_BASE_URL).pathname.length);
    const method = (init?.method ?? "GET").toUpperCase();

    // Reading the session calls no command and sends no request. It waits until it is restored.
    if (path === "/get-session") return json(200, sessionRead(await store.settled(init?.signal)));

    const route = routes[`${method} ${path}`];
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
