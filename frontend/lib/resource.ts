"use client";

import { useCallback, useEffect, useState } from "react";
import { type AuthFailure, auth, FAILURES, type Obstacle, STATUS_MEANINGS } from "./auth";
import { obstacleText } from "./messages";
import type * as z from "./zod";

export type Resource<T> =
  | { status: "loading" }
  | { status: "ready"; data: T }
  | { status: "missing" }
  | { status: "failed"; failure: AuthFailure };

/**
 * The failure that an answer of the backend reports by its status. A 401 does not mean that the
 * session has ended: the shell refreshes the session and repeats the call first, and if the session
 * has ended it rejects the call instead of answering it.
 */
export function refusal(response: Response): AuthFailure {
  const { status } = response;
  const { failure, obstacle } = meaningOf(status);
  // The shell writes it in whole seconds.
  const seconds = response.headers.get("retry-after");
  return {
    code: failure.code,
    status,
    message: obstacle ? obstacleText(obstacle) : failure.message,
    retryAfterMs: seconds === null ? null : Number(seconds) * 1000,
  };
}

function meaningOf(status: number): { failure: AuthFailure; obstacle?: Obstacle } {
  if (status === 401 && auth.state().status !== "signed_in") {
    return { failure: FAILURES.notSignedIn };
  }
  const hundred = Math.trunc(status / 100) * 100;
  return STATUS_MEANINGS[status] ?? STATUS_MEANINGS[hundred] ?? { failure: FAILURES.badAnswer };
}

export const badAnswer: AuthFailure = FAILURES.badAnswer;

/**
 * Reads a path of the backend and checks the shape of the answer. A failed read is repeated when
 * the connection comes back. Reads nothing where the path is `null`.
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

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new `attempt` makes the effect read again
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    const keep = (value: Resource<T>) => {
      if (controller.signal.aborted) return;
      // Data that was read before stays on the screen when a later read fails.
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
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a return to fresh repeats the read
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
