// zod as this app uses it: `import * as z from "@/lib/zod"`. Without `jitless` zod tries
// `new Function`, which the strict content security policy reports as a violation. The option must be
// set before the first schema is made. Each name is exported by itself, so that zod's translations
// are not in the bundle.

import { config } from "zod";

config({ jitless: true });

export {
  array,
  boolean,
  email,
  type infer,
  number,
  object,
  string,
  union,
  unknown,
  type ZodType,
} from "zod";
