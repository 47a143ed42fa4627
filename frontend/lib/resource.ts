"use client";

import { useCallback, useEffect, useState } from "react";
import { type AuthFailure, auth, type ErrorCode, type Obstacle } from "./auth";
import { obstacleWords } from "./messages";
import type * as z from "./zod";

export type Resource<T> =
  | { status: "loading" }
  | { status: "ready"; data: T }
  | { status: "missing" }
  | { status: "failed"; failure: AuthFailure };

/** The statuses by which a gateway speaks in the backend's place, or the backend of itself. */
const SPOKEN_BY: Record<number, Obstacle> = { 502: "gateway", 503: "maintenance", 504: "gateway" };

/**
 * An answer of the backend that is not what was asked for. A 401 says nothing of the session: the
 * shell has renewed it and asked again by then, and tells its end in the place of an answer.
 */
export function refusal(response: Response): AuthFailure {
  const { status } = response;
  const spoken = SPOKEN_BY[status];
  // In whole seconds, as the shell has read it.
  const seconds = response.headers.get("retry-after");
  return {
    code: codeOf(status),
    message: spoken ? obstacleWords(spoken) : "",
    retryAfterMs: seconds === null ? null : Number(seconds) * 1000,
    status,
  };
}

function codeOf(status: number): ErrorCode {
  if (status === 401) {
    return auth.state().status === "signed_in" ? "session_refused" : "not_signed_in";
  }
  if (status === 403) return "not_allowed";
  if (status === 404) return "unsupported";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "backend_fault" : "bad_answer";
}

export const badAnswer: AuthFailure = {
  code: "bad_answer",
  message: "",
  retryAfterMs: null,
  status: 502,
};

/**
 * Reads a path of the backend and checks its shape. A failed read is tried again when the
 * connection comes back. `null` as the path reads nothing.
 */
export function useResource<T>(path: string | null, schema: z.ZodType<T>) {
  const [held, setHeld] = useState<{ path: string | null; value: Resource<T> }>();
  const [attempt, setAttempt] = useState(0);
  const state = auth.useAuthState();
  const fresh = state.status === "signed_in" && state.freshness.kind === "fresh";

  const reload = useCallback(() => {
    setHeld(undefined);
    setAttempt((n) => n + 1);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is what asks for another try
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    const keep = (value: Resource<T>) => {
      if (controller.signal.aborted) return;
      // What was read before is worth more than that it could not be read again.
      const isWorse = (before: Resource<T>) =>
        before.status === "ready" && value.status === "failed";
      setHeld((before) =>
        before?.path === path && isWorse(before.value) ? before : { path, value },
      );
    };
    read(path, schema, controller.signal).then(keep, (cause) =>
      keep({ status: "failed", failure: auth.failure(cause) }),
    );
    return () => controller.abort();
  }, [path, schema, attempt]);

  const value: Resource<T> = held?.path === path ? held.value : { status: "loading" };
  const failed = value.status === "failed";
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a return to fresh asks again
  useEffect(() => {
    if (fresh && failed) reload();
  }, [fresh]);

  return {
    resource: value,
    reload,
    setData: (data: T) => setHeld({ path, value: { status: "ready", data } }),
  };
}

async function read<T>(
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<Resource<T>> {
  const response = await auth.fetch(path, { signal });
  if (response.status === 404) return { status: "missing" };
  if (!response.ok) return { status: "failed", failure: refusal(response) };
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  return parsed.success
    ? { status: "ready", data: parsed.data }
    : { status: "failed", failure: badAnswer };
}
