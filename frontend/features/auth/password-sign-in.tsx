"use client";

import { type ReactNode, useEffect, useRef } from "react";
import type { BrowserOffer } from "vestibule";
import { useFeatures } from "vestibule/react";
import { useForm } from "@/lib/form";
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
  const form = useForm(loginSchema(identifier));
  const { focus, get, set } = form;
  // After a sign-in by the browser that has failed, its button has the focus.
  const { failure } = useBrowserAttempt();
  const fromBrowser = useRef(failure !== null);
  const placed = useRef(false);
  // A notice may arrive after the first render, and it may have the user's e-mail. It goes when the form
  // was accepted, while that still shows.
  useEffect(() => {
    if (known && !get("email")) set("email", known);
    if (!fromBrowser.current && (known || !placed.current)) focus(known ? "password" : "email");
    placed.current = true;
  }, [known, focus, get, set]);

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
        set("password", "");
        focus("password");
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
