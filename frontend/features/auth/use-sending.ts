"use client";

import { type SyntheticEvent, useState } from "react";
import type { FieldValues, UseFormReturn } from "react-hook-form";
import type { AuthFailure, Result } from "@/lib/auth";
import { useFailure } from "./use-failure";
import type { Asked } from "./waits";

export type Sending = {
  failure: AuthFailure | null;
  /** Seconds until the backend may be asked again. */
  wait: number;
  /** True while the answer is awaited, and after a success until the guard redirects. */
  busy: boolean;
  submit: (event?: SyntheticEvent) => Promise<void>;
  clear: () => void;
};

/** Sends a form to the backend, one submission at a time and not before a wait is over. */
export function useSending<F extends FieldValues, T>(
  asked: Asked,
  form: UseFormReturn<F>,
  send: (fields: F) => Promise<Result<T>>,
  { onAccepted, onRefused }: Answered<F, T>,
): Sending {
  const { failure, wait, fail, clear } = useFailure(asked);
  const [accepted, setAccepted] = useState(false);
  const busy = form.formState.isSubmitting || accepted;
  const submit = form.handleSubmit(async (fields) => {
    if (busy || wait > 0) return;
    clear();
    const { data, error } = await send(fields);
    if (error) {
      fail(error);
      return onRefused(error);
    }
    setAccepted(true);
    onAccepted(data, fields);
  });
  return { failure, wait, busy, submit, clear };
}

type Answered<F, T> = {
  onAccepted: (data: T, fields: F) => void;
  onRefused: (error: AuthFailure) => void;
};
