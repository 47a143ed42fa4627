// What an app keeps for one account beside its session, such as a cart. It is made once for each
// instance, and it goes with the instance.

import type { Vestibule } from "./vestibule.ts";

/** Returns a function that gives what `make` has made for an instance. */
export function perInstance<T>(make: (vestibule: Vestibule) => T): (vestibule: Vestibule) => T {
  const made = new WeakMap<Vestibule, T>();
  return (vestibule) => {
    if (!made.has(vestibule)) made.set(vestibule, make(vestibule));
    return made.get(vestibule) as T;
  };
}
