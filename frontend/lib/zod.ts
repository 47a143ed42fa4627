// zod as this app uses it: `import * as z from "@/lib/zod"`. Without `jitless` zod probes
// `new Function`, which the strict content security policy reports as a violation; it must be set
// before the first schema is made. Names one by one, so that zod's many languages stay out.

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
