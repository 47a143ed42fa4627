"use client";

import type { ReactNode } from "react";
import type { Identifier } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import type { Form } from "@/lib/form";
import { duration } from "@/lib/format";
import { messages } from "@/lib/vestibule";
import type { FormSubmission } from "./use-form-submission";

// The form and the two fields that the sign-in and the registration screens share.

/**
 * A failure or a notice, the fields, and a button that counts down while the server asks to wait.
 */
export function SignInForm({
  sending: { failure, wait, busy, submit },
  refused,
  notice,
  label,
  busyLabel,
  children,
}: {
  sending: FormSubmission;
  /** The title of the message about a failure. */
  refused: string;
  notice?: ReactNode;
  label: string;
  busyLabel: string;
  children: ReactNode;
}) {
  return (
    <form noValidate onSubmit={submit} className="space-y-5">
      {failure ? (
        <Alert tone="danger" title={refused}>
          {messages.describe(failure)}
        </Alert>
      ) : (
        notice
      )}
      {children}
      <Button type="submit" busy={busy} disabled={wait > 0} className="w-full">
        {wait > 0 ? `Try again in ${duration(wait)}` : busy ? busyLabel : label}
      </Button>
    </form>
  );
}

type Inputs<F extends Record<string, string>> = { form: Form<F>; name: keyof F & string };

/** What a person signs in with: an e-mail address, or a name where the server's profile says so. */
export function IdentifierField<F extends Record<string, string>>({
  form,
  name,
  identifier,
}: Inputs<F> & { identifier: Identifier }) {
  const isEmail = identifier === "email";
  return (
    <Field label={isEmail ? "E-mail" : "User name"} error={form.errors[name]}>
      {(control) => (
        <Input
          // Not of the type "email": WebKit rewrites what it holds.
          type="text"
          inputMode={isEmail ? "email" : "text"}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          {...control}
          {...form.field(name)}
        />
      )}
    </Field>
  );
}

export function PasswordField<F extends Record<string, string>>({
  form,
  name,
  autoComplete,
  hint,
}: Inputs<F> & { autoComplete: "current-password" | "new-password"; hint?: string }) {
  return (
    <Field label="Password" hint={hint} error={form.errors[name]}>
      {(control) => (
        <PasswordInput autoComplete={autoComplete} {...control} {...form.field(name)} />
      )}
    </Field>
  );
}
