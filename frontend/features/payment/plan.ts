import * as v from "valibot";
import { money } from "@/lib/format";

export const planSchema = v.object({
  slug: v.string(),
  name: v.string(),
  price: v.number(),
  currency: v.string(),
  interval: v.string(),
  features: v.array(v.string()),
});
export const plansSchema = v.array(planSchema);
export const purchaseSchema = v.object({
  id: v.string(),
  plan: v.string(),
  purchasedAt: v.string(),
});

export type Plan = v.InferOutput<typeof planSchema>;
/** A purchase with the buyer's own note, which is never sent. */
export type Receipt = v.InferOutput<typeof purchaseSchema> & { note: string };

export function price(plan: Plan): string {
  return plan.price === 0 ? "Free" : money(plan.price, plan.currency);
}

/**
 * Whether a text can be a plan's slug. Anything else in an address is a plan that does not exist.
 */
export function isSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/i.test(text);
}
