"use client";

import { useCallback, useEffect, useState } from "react";
import * as v from "valibot";
import type { AuthError } from "vestibule";
import { useAuthState } from "vestibule/react";
import { auth, messages } from "@/lib/vestibule";

export type Resource<T> =
  | { status: "loading" }
  | { status: "ready"; data: T }
  | { status: "missing" }
  | { status: "failed"; failure: AuthError };

/**
 * Reads a path of the backend and checks the shape of the answer. Reads nothing where the path is
 * `null`.
 */
export function useResource<T>(path: string | null, schema: v.GenericSchema<unknown, T>) {
  return useRead(path, (signal) => fetched(path ?? "", schema, signal));
}

/**
 * Reads something of the backend, again for each new `key`, and nothing where that is `null`. A failed
 * read is repeated when the connection comes back.
 */
export function useRead<T>(
  key: string | null,
  read: (signal: AbortSignal) => Promise<Resource<T>>,
) {
  const [held, setHeld] = useState<{ key: string | null; value: Resource<T> }>();
  const [attempt, setAttempt] = useState(0);
  const state = useAuthState();
  const fresh = state.status === "signed_in" && state.freshness.kind === "fresh";

  const reload = useCallback(() => {
    setHeld(undefined);
    setAttempt((n) => n + 1);
  }, []);

  /** Reads again, and shows what was read before until the answer is there. */
  const refresh = useCallback(() => setAttempt((n) => n + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new `attempt` makes the effect read again
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    const keep = (value: Resource<T>) => {
      if (controller.signal.aborted) return;
      // Data that was read before stays on the screen when a later read fails.
      const isWorse = (before: Resource<T>) =>
        before.status === "ready" && value.status === "failed";
      setHeld((before) => (before?.key === key && isWorse(before.value) ? before : { key, value }));
    };
    read(controller.signal).then(keep, (cause) =>
      keep({ status: "failed", failure: auth.failure(cause) }),
    );
    return () => controller.abort();
  }, [key, attempt]);

  const value: Resource<T> = held?.key === key ? held.value : { status: "loading" };
  const failed = value.status === "failed";
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a return to fresh repeats the read
  useEffect(() => {
    if (fresh && failed) reload();
  }, [fresh]);

  return { resource: value, reload, refresh };
}

async function fetched<T>(
  path: string,
  schema: v.GenericSchema<unknown, T>,
  signal: AbortSignal,
): Promise<Resource<T>> {
  const response = await auth.fetch(path, { signal });
  if (response.status === 404) return { status: "missing" };
  if (!response.ok) return { status: "failed", failure: auth.refusal(response) };
  const parsed = v.safeParse(schema, await response.json().catch(() => undefined));
  return parsed.success
    ? { status: "ready", data: parsed.output }
    : { status: "failed", failure: messages.failures.badAnswer };
}
