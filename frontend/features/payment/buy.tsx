"use client";

import Link from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { type SyntheticEvent, useState } from "react";
import * as v from "valibot";
import type { AuthError, User } from "vestibule";
import { useFeatures, useSession } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { recordPurchase } from "@/lib/purchases";
import { routes, withNext } from "@/lib/routes";
import { auth, messages } from "@/lib/vestibule";
import { type Plan, purchaseSchema, type Receipt } from "./plan";

type Props = { plan: Plan; onBought: (receipt: Receipt) => void };

/**
 * The form to buy a plan. A person who is not signed in signs in first and comes back to this plan.
 */
export function Buy({ plan, onBought }: Props) {
  const { data, isPending } = useSession();
  if (isPending) return null;
  return data ? <BuyNow plan={plan} user={data.user} onBought={onBought} /> : <SignInFirst />;
}

function SignInFirst() {
  const here = `${usePathname()}?${useSearchParams().toString()}`;
  const { register } = useFeatures();
  return (
    <>
      <Button asChild className="w-full">
        <Link href={withNext(routes.login, here)}>Sign in to buy</Link>
      </Button>
      <p className="mt-3 text-sm text-muted">
        You come back here afterwards.
        {register && (
          <>
            {" "}
            New here?{" "}
            <Link
              href={withNext(routes.register, here)}
              className="rounded-sm font-medium text-accent-text underline underline-offset-3 hover:no-underline"
            >
              Create an account
            </Link>
          </>
        )}
      </p>
    </>
  );
}

function BuyNow({ plan, user, onBought }: Props & { user: User }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<AuthError | null>(null);
  const [note, setNote] = useState("");

  async function buy(event: SyntheticEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(null);
    const outcome = await purchase(plan.slug);
    setBusy(false);
    if ("failure" in outcome) return setFailure(outcome.failure);
    const receipt = { ...outcome.receipt, note: note.trim() };
    recordPurchase(user.id, { ...receipt, planName: plan.name });
    onBought(receipt);
  }

  return (
    <form noValidate onSubmit={(event) => void buy(event)} className="space-y-4">
      {failure && (
        <Alert tone="danger" title="Nothing was bought">
          {messages.describe(failure)}
        </Alert>
      )}
      <Field label="Note for yourself" hint="Shown with the purchase until you quit; never sent.">
        {(control) => (
          <Input
            {...control}
            autoComplete="off"
            maxLength={200}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" className="w-full" busy={busy}>
        {busy ? "Buying…" : `Buy ${plan.name}`}
      </Button>
      <p className="text-sm text-muted">
        Bought as {user.email}. This is a demonstration: nothing is charged.
      </p>
    </form>
  );
}

type Purchased = v.InferOutput<typeof purchaseSchema>;

async function purchase(slug: string): Promise<{ receipt: Purchased } | { failure: AuthError }> {
  try {
    const response = await auth.fetch(`/plans/${slug}/purchase`, { method: "POST" });
    if (!response.ok) return { failure: auth.refusal(response) };
    const parsed = v.safeParse(purchaseSchema, await response.json().catch(() => undefined));
    return parsed.success ? { receipt: parsed.output } : { failure: messages.failures.badAnswer };
  } catch (cause) {
    return { failure: auth.failure(cause) };
  }
}
