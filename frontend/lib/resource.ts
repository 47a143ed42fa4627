"use client";

import { useCallback, useEffect, useState } from "react";
import { type AuthFailure, auth } from "./auth";
import type * as z from "./zod";

export type Resource<T> =
  | { status: "loading" }
  | { status: "ready"; data: T }
  | { status: "missing" }
  | { status: "failed"; failure: AuthFailure };

/** An answer of the backend that is not what was asked for, told apart by its status. */
export function refusal(response: Response): AuthFailure {
  const { status } = response;
  if (status === 401) {
    return {
      code: "session_ended",
      message: "Your session has ended.",
      retryAfterMs: null,
      status,
    };
  }
  if (status === 429) {
    const seconds = Number(response.headers.get("retry-after"));
    const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
    return { code: "rate_limited", message: "Too many requests.", retryAfterMs, status };
  }
  if (status === 403) {
    return { code: "not_allowed", message: "You may not do this.", retryAfterMs: null, status };
  }
  const message = `The server answered with status ${status}.`;
  return { code: "backend_fault", message, retryAfterMs: null, status };
}

export const badAnswer: AuthFailure = {
  code: "bad_answer",
  message: "The server sent something this app does not understand.",
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
