"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { type ReactNode, useEffect, useRef } from "react";
import { useForm } from "react-hook-form";
import type { BrowserOffer } from "vestibule";
import { useFeatures } from "vestibule/react";
import { auth } from "@/lib/vestibule";
import { clearBrowserAttempt, useBrowserAttempt } from "./browser-attempt";
import { BrowserButtons, Or } from "./browser-buttons";
import { DemoAccounts } from "./demo-accounts";
import { leaveNotice } from "./notice";
import { type LoginForm, loginSchema } from "./schemas";
import { IdentifierField, PasswordField, SignInForm } from "./sign-in-form";
import { useFormSubmission } from "./use-form-submission";

/** The form for a password, below the buttons that lead to the browser where there are any. */
export function PasswordSignIn({
  known,
  message,
  browser,
}: {
  /** The e-mail of the person, where it is known. */
  known: string | undefined;
  message: ReactNode;
  browser: BrowserOffer | null;
}) {
  const { identifier } = useFeatures();
  const form = useForm<LoginForm>({
    resolver: zodResolver(loginSchema(identifier)),
    defaultValues: { email: "", password: "" },
  });
  const { setFocus, setValue, getValues } = form;
  // After a sign-in by the browser that has failed, its button has the focus.
  const { failure } = useBrowserAttempt();
  const fromBrowser = useRef(failure !== null);
  // A notice may arrive after the first render, and it may have the user's e-mail.
  useEffect(() => {
    if (known && !getValues("email")) setValue("email", known);
    if (!fromBrowser.current) setFocus(known ? "password" : "email");
  }, [known, setFocus, setValue, getValues]);

  const sending = useFormSubmission(
    "login",
    form,
    (fields: LoginForm) => {
      clearBrowserAttempt();
      return auth.login(fields);
    },
    {
      onAccepted: () => leaveNotice(null),
      onRefused: ({ code }) => {
        if (code !== "invalid_credentials") return;
        setValue("password", "");
        setFocus("password");
      },
    },
  );

  return (
    <>
      <SignInForm
        sending={sending}
        refused="You could not be signed in"
        notice={message}
        label="Sign in"
        busyLabel="Signing in…"
      >
        {browser && (
          <>
            <BrowserButtons offer={browser} alone={false} onBegin={sending.clear} />
            <Or />
          </>
        )}
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
    </>
  );
}
