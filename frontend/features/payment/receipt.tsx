"use client";

import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Fact, Facts } from "@/components/ui/card";
import { capital, moment } from "@/lib/format";
import { routes } from "@/lib/routes";
import { type Plan, price, type Receipt } from "./plan";

export function Bought({ plan, receipt }: { plan: Plan; receipt: Receipt }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The pressed button is gone, so the heading of the receipt gets the focus.
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h3 ref={heading} tabIndex={-1} className="flex items-center gap-2 text-lg font-semibold">
        <CircleCheck aria-hidden className="size-5 text-accent-text" />
        {plan.name} is yours
      </h3>
      <div className="mt-4">
        <Facts>
          <Fact name="Price">
            {price(plan)}
            {plan.price > 0 && ` a ${plan.interval}`}
          </Fact>
          <Fact name="Bought">{capital(moment(receipt.purchasedAt))}</Fact>
          <Fact name="Receipt">
            <span className="font-mono text-xs">{receipt.id}</span>
          </Fact>
          {receipt.note && <Fact name="Your note">{receipt.note}</Fact>}
        </Facts>
      </div>
      <Button asChild look="secondary" className="mt-5 w-full">
        <Link href={routes.dashboard}>Go to your dashboard</Link>
      </Button>
    </>
  );
}
