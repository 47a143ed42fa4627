// Feathers 5 with local and JWT authentication over Koa, as its guide sets them up: users in SQLite,
// one account, registration open.

import { join } from "node:path";
import { AuthenticationService, JWTStrategy, authenticate } from "@feathersjs/authentication";
import { LocalStrategy, hooks } from "@feathersjs/authentication-local";
import { feathers } from "@feathersjs/feathers";
import { KnexService } from "@feathersjs/knex";
import { hooks as schemaHooks, resolve } from "@feathersjs/schema";
import { bodyParser, errorHandler, koa, parseAuthentication, rest } from "@feathersjs/koa";
import knex from "knex";
import {
  ANN,
  SECRET,
  accessLife,
  announce,
  dataFolder,
  endWithInput,
  port,
} from "../shared/serving.js";

endWithInput();
const database = knex({
  client: "better-sqlite3",
  connection: { filename: join(dataFolder(), "site.db") },
  useNullAsDefault: true,
});
if (!(await database.schema.hasTable("users"))) {
  await database.schema.createTable("users", (table) => {
    table.increments("id");
    table.string("email").notNullable().unique();
    table.string("password").notNullable();
    table.string("name");
  });
}

const app = koa(feathers());
app.use(errorHandler());
app.use(parseAuthentication());
app.use(bodyParser());
app.configure(rest());
app.set("authentication", {
  entity: "user",
  service: "users",
  secret: SECRET,
  authStrategies: ["jwt", "local"],
  jwtOptions: { header: { typ: "access" }, algorithm: "HS256", expiresIn: `${accessLife(86400)}s` },
  local: { usernameField: "email", passwordField: "password" },
});
const authentication = new AuthenticationService(app);
authentication.register("jwt", new JWTStrategy());
authentication.register("local", new LocalStrategy());
app.use("authentication", authentication);
app.use("users", new KnexService({ Model: database, name: "users" }));

app.service("users").hooks({
  around: {
    // What clients are sent of a user.
    all: [schemaHooks.resolveExternal(resolve({ password: async () => undefined }))],
    get: [authenticate("jwt")],
  },
  before: { create: [hooks.hashPassword("password")] },
});

if (!(await database("users").first())) await app.service("users").create({ ...ANN, name: "Ann" });
const at = await port();
await app.listen(at, "127.0.0.1");
announce(`http://127.0.0.1:${at}`);
