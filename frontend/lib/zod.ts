// zod as this app uses it: `import * as z from "@/lib/zod"`. Without `jitless` zod tries `new
// Function`, which the strict content security policy reports as a violation. This module sets the
// option before it exports what makes schemas. It exports single names, because exporting all of
// zod would put zod's translations into the bundle.

import { config } from "zod";

config({ jitless: true });

export {
  array,
  boolean,
  type infer,
  number,
  object,
  string,
  union,
  unknown,
  type ZodType,
} from "zod";
