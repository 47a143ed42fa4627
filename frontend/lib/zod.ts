// zod as this app uses it. Without `jitless` zod probes `new Function`, which the strict content
// security policy reports as a violation; it must be set before the first schema is made.

import { config } from "zod";

config({ jitless: true });

export { z } from "zod";
