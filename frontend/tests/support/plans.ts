import { reply } from "./states";

const plan = (slug: string, name: string, price: number) => ({
  slug,
  name,
  price,
  currency: "EUR",
  interval: "month",
  features: [`${name} support`],
});

export const team = plan("team", "Team", 29);
export const plans = [plan("starter", "Starter", 0), team, plan("business", "Business", 99.5)];

export const receipt = { id: "prc-1", plan: "team", purchasedAt: new Date().toISOString() };

/** A backend that lists the plans and sells the plan `team`. */
export const shop = {
  "GET /plans": reply(200, plans),
  "GET /plans/team": reply(200, team),
  "POST /plans/team/purchase": reply(201, receipt),
};
