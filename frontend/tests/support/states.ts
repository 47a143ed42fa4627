// States and answers that tests start from: the package's, and those with the rights of this app.

import type { Right } from "@/lib/rights";

export * from "@/vestibule/tests/support/states";

/** Makes Ada an administrator, when added to one of her states. */
export const asAdmin = {
  user: { roles: ["user", "admin"] },
  may: ["people.export", "people.see"] satisfies Right[],
};
