"use client";

import { type SyntheticEvent, useState } from "react";
import type { AuthError, Result } from "vestibule";
import type { Form } from "@/lib/form";
import type { FormName } from "./retry-waits";
import { useFailure } from "./use-failure";

export type FormSubmission = {
  failure: AuthError | null;
  /** Seconds until the backend may be asked again. */
  wait: number;
  /** True while the answer is awaited, and after a success until the guard redirects. */
  busy: boolean;
  submit: (event?: SyntheticEvent) => Promise<void>;
  clear: () => void;
};

/** Sends a form to the backend, one submission at a time and not before a wait is over. */
export function useFormSubmission<F extends Record<string, string>, T>(
  formName: FormName,
  form: Form<F>,
  send: (fields: F) => Promise<Result<T>>,
  { onAccepted, onRefused }: Answered<F, T>,
): FormSubmission {
  const { failure, wait, fail, clear } = useFailure(formName);
  const [accepted, setAccepted] = useState(false);
  const busy = form.isSubmitting || accepted;
  const submit = form.submit(async (fields) => {
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
  onRefused: (error: AuthError) => void;
};
