"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import { auth } from "@/lib/auth";
import { duration } from "@/lib/format";
import { describe } from "@/lib/messages";
import { routes } from "@/lib/routes";
import { AuthCard } from "./auth-card";
import { DemoAccounts } from "./demo-accounts";
import { LoginNotice } from "./login-notice";
import { leaveNotice, useNotice } from "./notice";
import { type LoginForm, loginSchema } from "./schemas";
import { TextLink } from "./text-link";
import { useFailure } from "./use-failure";

export function LoginScreen() {
  const notice = useNotice();
  const { failure, wait, fail, clear } = useFailure();
  // Set once the backend has said yes: the guard leads on when the new state arrives.
  const [accepted, setAccepted] = useState(false);
  const form = useForm<LoginForm>({
    resolver: zodResolver(loginSchema),
    defaultValues: { email: "", password: "" },
  });
  const { errors, isSubmitting } = form.formState;
  const busy = isSubmitting || accepted;

  const { setFocus, setValue, getValues } = form;
  // A notice may come a moment after the screen, and may know who wants to sign in.
  const known = notice?.email;
  useEffect(() => {
    if (known && !getValues("email")) setValue("email", known);
    setFocus(known ? "password" : "email");
  }, [known, setFocus, setValue, getValues]);

  const submit = form.handleSubmit(async (fields) => {
    if (busy || wait > 0) return;
    clear();
    const { error } = await auth.login(fields);
    if (!error) {
      leaveNotice(null);
      return setAccepted(true);
    }
    fail(error);
    if (error.code === "invalid_credentials") {
      form.setValue("password", "");
      form.setFocus("password");
    }
  });

  return (
    <AuthCard
      title="Sign in"
      below={
        <>
          No account yet? <TextLink href={routes.register}>Create an account</TextLink>
        </>
      }
    >
      <form noValidate onSubmit={submit} className="space-y-5">
        {failure ? (
          <Alert tone="danger" title="You could not be signed in">
            {describe(failure)}
          </Alert>
        ) : (
          <LoginNotice notice={notice} />
        )}
        <Field label="E-mail" error={errors.email?.message}>
          {(control) => (
            <Input
              type="email"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              {...control}
              {...form.register("email")}
            />
          )}
        </Field>
        <Field label="Password" error={errors.password?.message}>
          {(control) => (
            <PasswordInput
              autoComplete="current-password"
              {...control}
              {...form.register("password")}
            />
          )}
        </Field>
        <Button type="submit" busy={busy} disabled={wait > 0} className="w-full">
          {wait > 0 ? `Try again in ${duration(wait)}` : busy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
      {process.env.NODE_ENV === "development" && (
        <DemoAccounts
          onPick={({ email, password }) => {
            form.reset({ email, password });
            clear();
          }}
        />
      )}
    </AuthCard>
  );
}
