"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useRouter, useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import { auth } from "@/lib/auth";
import { duration } from "@/lib/format";
import { describe } from "@/lib/messages";
import { routes, withNext } from "@/lib/routes";
import { AuthCard } from "./auth-card";
import { leaveNotice } from "./notice";
import { PASSWORD_LEAST, type RegisterForm, registerSchema } from "./schemas";
import { TextLink } from "./text-link";
import { useFailure } from "./use-failure";

export function RegisterScreen() {
  const router = useRouter();
  const next = useSearchParams().get("next");
  const { failure, wait, fail, clear } = useFailure();
  const [accepted, setAccepted] = useState(false);
  const form = useForm<RegisterForm>({
    resolver: zodResolver(registerSchema),
    defaultValues: { name: "", email: "", password: "" },
  });
  const { errors, isSubmitting } = form.formState;
  const busy = isSubmitting || accepted;

  const { setFocus } = form;
  useEffect(() => setFocus("name"), [setFocus]);

  const submit = form.handleSubmit(async (fields) => {
    if (busy || wait > 0) return;
    clear();
    const { data, error } = await auth.register(fields);
    if (error) {
      fail(error);
      if (error.code === "email_taken") form.setFocus("email");
      return;
    }
    setAccepted(true);
    if (data.outcome === "accepted") {
      leaveNotice({
        tone: "success",
        text: "Your account is ready. Sign in to begin; you may be asked to confirm your e-mail first.",
        email: fields.email,
      });
      router.push(withNext(routes.login, next));
    }
  });

  return (
    <AuthCard
      title="Create an account"
      below={
        <>
          Already have one? <TextLink href={routes.login}>Sign in</TextLink>
        </>
      }
    >
      <form noValidate onSubmit={submit} className="space-y-5">
        {failure && (
          <Alert tone="danger" title="The account could not be created">
            {describe(failure)}
          </Alert>
        )}
        <Field label="Name" error={errors.name?.message}>
          {(control) => <Input autoComplete="name" {...control} {...form.register("name")} />}
        </Field>
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
        <Field
          label="Password"
          hint={`At least ${PASSWORD_LEAST} characters. A few words work well.`}
          error={errors.password?.message}
        >
          {(control) => (
            <PasswordInput
              autoComplete="new-password"
              {...control}
              {...form.register("password")}
            />
          )}
        </Field>
        <Button type="submit" busy={busy} disabled={wait > 0} className="w-full">
          {wait > 0
            ? `Try again in ${duration(wait)}`
            : busy
              ? "Creating your account…"
              : "Create account"}
        </Button>
      </form>
    </AuthCard>
  );
}
