"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import { useFeatures } from "vestibule/react";
import { CardPage } from "@/components/ui/card-page";
import { routes } from "@/lib/routes";
import { auth } from "@/lib/vestibule";
import { DemoAccounts } from "./demo-accounts";
import { LoginNotice } from "./login-notice";
import { leaveNotice, useNotice } from "./notice";
import { type LoginForm, loginSchema } from "./schemas";
import { IdentifierField, PasswordField, SignInForm } from "./sign-in-form";
import { TextLink } from "./text-link";
import { useFormSubmission } from "./use-form-submission";
import { useWorkspaceLine } from "./workspace-line";

/** Signs in with a password. `keptFor` is the e-mail of the user whose page waits behind it. */
export function LoginScreen({ keptFor }: { keptFor?: string }) {
  const notice = useNotice();
  const { register, identifier } = useFeatures();
  const lead = useWorkspaceLine();
  const form = useForm<LoginForm>({
    resolver: zodResolver(loginSchema(identifier)),
    defaultValues: { email: "", password: "" },
  });
  const { setFocus, setValue, getValues } = form;
  // A notice may arrive after the first render, and it may have the user's e-mail.
  const known = notice?.email ?? keptFor;
  useEffect(() => {
    if (known && !getValues("email")) setValue("email", known);
    setFocus(known ? "password" : "email");
  }, [known, setFocus, setValue, getValues]);

  const sending = useFormSubmission("login", form, auth.login, {
    onAccepted: () => leaveNotice(null),
    onRefused: ({ code }) => {
      if (code !== "invalid_credentials") return;
      setValue("password", "");
      setFocus("password");
    },
  });

  return (
    <CardPage
      title="Sign in"
      lead={lead}
      below={
        keptFor
          ? `The page behind this form is kept for ${keptFor}. It is discarded when someone else signs in.`
          : register && (
              <>
                No account yet? <TextLink href={routes.register}>Create an account</TextLink>
              </>
            )
      }
    >
      <SignInForm
        sending={sending}
        refused="You could not be signed in"
        notice={<LoginNotice notice={notice} />}
        label="Sign in"
        busyLabel="Signing in…"
      >
        <IdentifierField form={form} name="email" identifier={identifier} />
        <PasswordField form={form} name="password" autoComplete="current-password" />
      </SignInForm>
      {process.env.NODE_ENV === "development" && (
        <DemoAccounts
          onPick={({ email, password }) => {
            form.reset({ email, password });
            sending.clear();
          }}
        />
      )}
    </CardPage>
  );
}
