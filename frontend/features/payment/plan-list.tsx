"use client";

import { Check } from "lucide-react";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/failed";
import { PageHeading, PageTitle } from "@/components/ui/page";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useResource } from "@/lib/resource";
import { routes } from "@/lib/routes";
import { messages } from "@/lib/vestibule";
import { type Plan, plansSchema, price } from "./plan";

export function PlanList() {
  return (
    <>
      <PageTitle>Plans</PageTitle>
      <PageHeading>Plans</PageHeading>
      <p className="mt-1 text-muted">Choose one. You can change it whenever you like.</p>
      <div className="mt-7">
        <Plans />
      </div>
    </>
  );
}

export function Plans() {
  const { resource, reload } = useResource("/plans", plansSchema);
  switch (resource.status) {
    case "loading":
      return (
        <Loading label="Loading plans">
          <div className="grid grid-cols-1 gap-5 sm:grid-cols-3">
            {["a", "b", "c"].map((key) => (
              <Skeleton key={key} className="h-72 rounded-xl" />
            ))}
          </div>
        </Loading>
      );
    case "failed":
      return <Failed onRetry={reload}>{messages.describe(resource.failure)}</Failed>;
    case "missing":
      return <p className="text-muted">This server offers no plans.</p>;
    case "ready":
      return resource.data.length === 0 ? (
        <p className="text-muted">There are no plans at the moment.</p>
      ) : (
        <ul className="grid grid-cols-1 gap-5 sm:grid-cols-3">
          {resource.data.map((plan) => (
            <PlanTile key={plan.slug} plan={plan} />
          ))}
        </ul>
      );
  }
}

function PlanTile({ plan }: { plan: Plan }) {
  return (
    <li className="flex flex-col rounded-xl border border-line bg-surface p-5 shadow-card">
      <h2 className="font-semibold">{plan.name}</h2>
      <Price plan={plan} className="mt-2" />
      <Features plan={plan} className="mt-4 mb-6" />
      <Button asChild look="secondary" className="mt-auto w-full">
        <Link href={`${routes.payment}?plan=${encodeURIComponent(plan.slug)}`}>
          Choose {plan.name}
        </Link>
      </Button>
    </li>
  );
}

export function Price({ plan, className }: { plan: Plan; className?: string }) {
  return (
    <p className={className}>
      <span className="text-3xl font-semibold tracking-tight tabular-nums">{price(plan)}</span>
      {plan.price > 0 && <span className="text-muted"> a {plan.interval}</span>}
    </p>
  );
}

export function Features({ plan, className }: { plan: Plan; className?: string }) {
  return (
    <ul className={className}>
      {plan.features.map((feature) => (
        <li key={feature} className="flex items-start gap-2.5 py-1 text-sm">
          <Check aria-hidden className="mt-0.5 size-4 shrink-0 text-accent-text" />
          {feature}
        </li>
      ))}
    </ul>
  );
}
