"use client";

import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useEffect } from "react";
import { useFeatures } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useForm } from "@/lib/form";
import { routes, withNext } from "@/lib/routes";
import { auth } from "@/lib/vestibule";
import { leaveNotice } from "./notice";
import { PASSWORD_LEAST, registerSchema } from "./schemas";
import { IdentifierField, PasswordField, SignInForm } from "./sign-in-form";
import { TextLink } from "./text-link";
import { useFormSubmission } from "./use-form-submission";
import { useWorkspaceLine } from "./workspace-line";

export function RegisterScreen() {
  return useFeatures().register ? <RegisterForm /> : <NoNewAccounts />;
}

/**
 * Shown to people who typed the address: no link leads here where the server takes no
 * registrations.
 */
function NoNewAccounts() {
  return (
    <CardPage
      title="Create an account"
      takesFocus
      lead="This server does not let you create an account here. Ask its operator for one."
    >
      <Button asChild className="w-full">
        <Link href={withNext(routes.login, useSearchParams().get("next"))}>Sign in</Link>
      </Button>
    </CardPage>
  );
}

function RegisterForm() {
  const router = useRouter();
  const next = useSearchParams().get("next");
  const lead = useWorkspaceLine();
  const form = useForm(registerSchema);
  const { focus } = form;
  useEffect(() => focus("name"), [focus]);

  const sending = useFormSubmission("register", form, auth.register, {
    onAccepted: ({ outcome }, { email }) => {
      if (outcome !== "accepted") return;
      leaveNotice({
        tone: "success",
        text: "The server has accepted your registration. Sign in now; you may have to confirm your e-mail first.",
        email,
      });
      router.push(withNext(routes.login, next));
    },
    onRefused: ({ code }) => {
      if (code === "email_taken") focus("email");
    },
  });

  return (
    <CardPage
      title="Create an account"
      lead={lead}
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
        <Field label="Name" error={form.errors.name}>
          {(control) => <Input autoComplete="name" {...control} {...form.field("name")} />}
        </Field>
        <IdentifierField form={form} name="email" identifier="email" />
        <PasswordField
          form={form}
          name="password"
          autoComplete="new-password"
          hint={`At least ${PASSWORD_LEAST} characters. A few words work well.`}
        />
      </SignInForm>
    </CardPage>
  );
}
