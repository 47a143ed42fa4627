"use client";

import { useSearchParams } from "next/navigation";
import { Page } from "@/components/ui/page";
import { PlanDetail } from "./plan-detail";
import { PlanList } from "./plan-list";

/** `/payment/?plan=team` shows one plan; without a plan, all of them. */
export function PaymentScreen() {
  const slug = useSearchParams().get("plan")?.trim();
  return <Page>{slug ? <PlanDetail key={slug} slug={slug} /> : <PlanList />}</Page>;
}
