"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useRouter, useSearchParams } from "next/navigation";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { auth } from "@/lib/auth";
import { routes, withNext } from "@/lib/routes";
import { AuthCard } from "./auth-card";
import { leaveNotice } from "./notice";
import { PASSWORD_LEAST, type RegisterForm, registerSchema } from "./schemas";
import { EmailField, PasswordField, SignInForm } from "./sign-in-form";
import { TextLink } from "./text-link";
import { useSending } from "./use-sending";

export function RegisterScreen() {
  const router = useRouter();
  const next = useSearchParams().get("next");
  const form = useForm<RegisterForm>({
    resolver: zodResolver(registerSchema),
    defaultValues: { name: "", email: "", password: "" },
  });
  const { setFocus } = form;
  useEffect(() => setFocus("name"), [setFocus]);

  const sending = useSending(form, auth.register, {
    onAccepted: ({ outcome }, { email }) => {
      if (outcome !== "accepted") return;
      leaveNotice({
        tone: "success",
        text: "Your account is ready. Sign in to begin; you may be asked to confirm your e-mail first.",
        email,
      });
      router.push(withNext(routes.login, next));
    },
    onRefused: ({ code }) => {
      if (code === "email_taken") setFocus("email");
    },
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
      <SignInForm
        sending={sending}
        refused="The account could not be created"
        label="Create account"
        busyLabel="Creating your account…"
      >
        <Field label="Name" error={form.formState.errors.name?.message}>
          {(control) => <Input autoComplete="name" {...control} {...form.register("name")} />}
        </Field>
        <EmailField form={form} name="email" />
        <PasswordField
          form={form}
          name="password"
          autoComplete="new-password"
          hint={`At least ${PASSWORD_LEAST} characters. A few words work well.`}
        />
      </SignInForm>
    </AuthCard>
  );
}
