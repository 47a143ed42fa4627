"use client";

import { type SyntheticEvent, useRef, useState } from "react";
import * as v from "valibot";

// A form of text fields. What was typed stays in the fields of the document and is in no state of
// React, which would write a password into an attribute of its field.

type Fields = Record<string, string>;
type Errors<F> = { [name in keyof F]?: string };

export type Form<F extends Fields> = {
  /** What is wrong with each field. Nothing is, before the form is first sent. */
  errors: Errors<F>;
  /** Whether what `submit` was given is still at work. */
  isSubmitting: boolean;
  /** The properties of the field of this name. */
  field: (name: keyof F & string) => {
    name: string;
    ref: (input: HTMLInputElement | null) => void;
    onChange: () => void;
  };
  focus: (name: keyof F) => void;
  get: (name: keyof F) => string;
  set: (name: keyof F, text: string) => void;
  /** Replaces all that was typed, and judges nothing until the form is sent again. */
  reset: (values: F) => void;
  /** Calls `send` with the fields if they are right, else says what is wrong and goes to the first such field. */
  submit: (send: (fields: F) => Promise<void>) => (event?: SyntheticEvent) => Promise<void>;
};

/** The fields in the document, by name. */
function createInputs<F extends Fields>() {
  const inputs = new Map<keyof F, HTMLInputElement>();
  return {
    keep: (name: keyof F, input: HTMLInputElement | null) => {
      if (input) inputs.set(name, input);
      else inputs.delete(name);
    },
    get: (name: keyof F) => inputs.get(name)?.value ?? "",
    set: (name: keyof F, text: string) => {
      const input = inputs.get(name);
      if (input) input.value = text;
    },
    focus: (name: keyof F) => inputs.get(name)?.focus(),
  };
}

/**
 * Makes a form whose fields are those of `schema`. It is judged when it is sent, and from then on each
 * field while somebody types in it.
 */
export function useForm<F extends Fields>(
  schema: v.GenericSchema<F> & { entries: object },
): Form<F> {
  const [{ keep, get, set, focus }] = useState(createInputs<F>);
  const [errors, setErrors] = useState<Errors<F>>({});
  const [isSubmitting, setIsSubmitting] = useState(false);
  const isJudged = useRef(false);
  const names = Object.keys(schema.entries);

  /** The fields, or the first thing that is wrong with each. */
  function judged(): { fields: F } | { errors: Errors<F> } {
    const typed = Object.fromEntries(names.map((name) => [name, get(name)]));
    const parsed = v.safeParse(schema, typed);
    if (parsed.success) return { fields: parsed.output };
    const wrong: Errors<F> = {};
    for (const { path, message } of parsed.issues) {
      const name = path?.[0]?.key as keyof F;
      wrong[name] ??= message;
    }
    return { errors: wrong };
  }

  return {
    errors,
    isSubmitting,
    field: (name) => ({
      name,
      ref: (input) => keep(name, input),
      onChange: () => {
        if (!isJudged.current) return;
        const found = judged();
        const message = "errors" in found ? found.errors[name] : undefined;
        setErrors((before) => (before[name] === message ? before : { ...before, [name]: message }));
      },
    }),
    focus,
    get,
    set,
    reset: (values) => {
      for (const name of names) set(name, values[name] ?? "");
      isJudged.current = false;
      setErrors({});
    },
    submit: (send) => async (event) => {
      event?.preventDefault();
      isJudged.current = true;
      const found = judged();
      if ("errors" in found) {
        setErrors(found.errors);
        const first = names.find((name) => found.errors[name] !== undefined);
        if (first !== undefined) focus(first);
        return;
      }
      setErrors({});
      setIsSubmitting(true);
      try {
        await send(found.fields);
      } finally {
        setIsSubmitting(false);
      }
    },
  };
}
