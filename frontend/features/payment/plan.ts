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
/** What was bought, and what its buyer noted about it; the note is never sent. */
export type Receipt = z.infer<typeof purchaseSchema> & { note: string };

export function price(plan: Plan): string {
  return plan.price === 0 ? "Free" : money(plan.price, plan.currency);
}

/** What a slug in an address may look like; anything else is a plan that does not exist. */
export function isSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,63}$/i.test(text);
}
