import { money } from "@/lib/format";
import * as z from "@/lib/zod";

export const planSchema = z.object({
  slug: z.string(),
  name: z.string(),
  price: z.number(),
  currency: z.string(),
  interval: z.string(),
  features: z.array(z.string()),
});
export const plansSchema = z.array(planSchema);
export const purchaseSchema = z.object({
  id: z.string(),
  plan: z.string(),
  purchasedAt: z.string(),
});

export type Plan = z.infer<typeof planSchema>;
/** A purchase with the buyer's own note, which is never sent. */
export type Receipt = z.infer<typeof purchaseSchema> & { note: string };

export function price(plan: Plan): string {
  return plan.price === 0 ? "Free" : money(plan.price, plan.currency);
}

/**
 * Whether a text can be a plan's slug. Anything else in an address is a plan that does not exist.
 */
export function isSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/i.test(text);
}
