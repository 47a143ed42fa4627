"use client";

import { ArrowLeft } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Card } from "@/components/ui/card";
import { Failed } from "@/components/ui/failed";
import { PageHeading, PageTitle } from "@/components/ui/page";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useResource } from "@/lib/resource";
import { routes } from "@/lib/routes";
import { messages } from "@/lib/vestibule";
import { Buy } from "./buy";
import { isSlug, planSchema, type Receipt } from "./plan";
import { Features, Plans, Price } from "./plan-list";
import { Bought } from "./receipt";

export function PlanDetail({ slug }: { slug: string }) {
  const known = isSlug(slug);
  const { resource, reload } = useResource(known ? `/plans/${slug}` : null, planSchema);
  const [receipt, setReceipt] = useState<Receipt | null>(null);

  if (!known || resource.status === "missing") return <UnknownPlan />;
  if (resource.status === "loading") return <LoadingPlan />;
  if (resource.status === "failed") {
    return (
      <>
        <PageTitle>Plan</PageTitle>
        <PageHeading className="mb-6">This plan could not be loaded</PageHeading>
        <Failed onRetry={reload}>{messages.describe(resource.failure)}</Failed>
      </>
    );
  }
  const plan = resource.data;
  return (
    <>
      <PageTitle>{plan.name}</PageTitle>
      <Link
        href={routes.payment}
        className="mb-4 inline-flex items-center gap-1.5 rounded-sm text-sm text-muted hover:text-ink"
      >
        <ArrowLeft aria-hidden className="size-4" />
        All plans
      </Link>
      <PageHeading>The {plan.name} plan</PageHeading>
      <div className="mt-6 grid grid-cols-1 items-start gap-5 md:grid-cols-[minmax(0,1fr)_20rem]">
        <Card title="What you get">
          <Features plan={plan} />
        </Card>
        <Card title={receipt ? "Your purchase" : "Your order"}>
          {receipt ? (
            <Bought plan={plan} receipt={receipt} />
          ) : (
            <>
              <Price plan={plan} className="mb-5" />
              <Buy plan={plan} onBought={setReceipt} />
            </>
          )}
        </Card>
      </div>
    </>
  );
}

function LoadingPlan() {
  return (
    <Loading label="Loading the plan">
      <PageTitle>Plan</PageTitle>
      <Skeleton className="h-8 w-56" />
      <div className="mt-6 grid gap-5 md:grid-cols-[minmax(0,1fr)_20rem]">
        <Skeleton className="h-48 rounded-xl" />
        <Skeleton className="h-48 rounded-xl" />
      </div>
    </Loading>
  );
}

function UnknownPlan() {
  return (
    <>
      <PageTitle>Plans</PageTitle>
      <PageHeading>Plans</PageHeading>
      <Alert tone="warning" className="mt-4 mb-7">
        There is no such plan. These are the ones on offer.
      </Alert>
      <Plans />
    </>
  );
}
