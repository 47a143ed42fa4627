// Strapi 5 with the plugin for users as a new project has it: SQLite, one account, registration
// open.

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ANN, SECRET, announce, dataFolder, endWithInput, port } from "../shared/serving.js";

// Its modules for `import` do not load in Node.js 20.
const { createStrapi } = createRequire(import.meta.url)("@strapi/strapi");

endWithInput();
const data = dataFolder();
mkdirSync(join(data, "public", "uploads"), { recursive: true });
// The files of its configuration read these.
Object.assign(process.env, {
  DATA: data,
  PORT: String(await port()),
  SECRET,
  ANN_EMAIL: ANN.email,
  ANN_PASSWORD: ANN.password,
  STRAPI_TELEMETRY_DISABLED: "true",
});
const folder = fileURLToPath(new URL(".", import.meta.url));
const strapi = createStrapi({ appDir: folder, distDir: folder });
// Its log goes to standard error; standard output is for the address alone.
const levels = Object.keys(strapi.log.levels).map((level) => [level, true]);
for (const transport of strapi.log.transports) {
  transport.stderrLevels = Object.fromEntries(levels);
}
await strapi.start();
announce(`http://127.0.0.1:${process.env.PORT}`);
