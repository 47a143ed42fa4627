// What an app keeps for one account beside its session, such as what was bought. It is
// made once for each instance, and it goes with the instance.

import type { Vestibule } from "./vestibule.ts";

/** Returns a function that gives what `make` has made for an instance. */
export function perInstance<T>(make: (vestibule: Vestibule) => T): (vestibule: Vestibule) => T {
  const made = new WeakMap<Vestibule, { value: T }>();
  return (vestibule) => {
    const known = made.get(vestibule);
    if (known) return known.value;
    const value = make(vestibule);
    made.set(vestibule, { value });
    return value;
  };
}
