// A Better Auth server for desktop apps: the plugin `electron()` with a sign-in page of our own, another
// provider through `genericOAuth`, and its own OAuth provider plugin. All over HTTP: where a web app has
// a script in its page, this server makes the same calls for it.

import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { electron } from "@better-auth/electron";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { genericOAuth, jwt } from "better-auth/plugins";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import Provider from "oidc-provider";
import { ask, askForPassword, fields, show } from "../shared/html.js";
import { serveProvider } from "../shared/oidc_provider.js";
import {
  ANN,
  SECRET,
  accessLife,
  announce,
  dataFolder,
  endWithInput,
  freePort,
  port,
} from "../shared/serving.js";

const SCHEME = "vestibule";
const CLIENT = "vestibule-desktop";
// What `electronProxyClient` reads on the page that the browser ends at.
const TOKEN_COOKIE = "better-auth.electron";

const at = await port();
const folder = dataFolder();
const base = `http://127.0.0.1:${at}`;

// The other provider, at which this server is a client like any website.
const elsewhere = await freePort();
const website = {
  client_id: "website",
  client_secret: SECRET,
  redirect_uris: [`${base}/api/auth/callback/house`],
};
// Not Ann: her account here has a password, so it is not linked to another provider by itself.
const person = { email: "carl@example.com", name: "Carl" };
await serveProvider(Provider, { port: elsewhere, folder, clients: [website], person });

const auth = betterAuth({
  appName: "Vestibule",
  baseURL: base,
  secret: SECRET,
  database: {
    dialect: new SqliteDialect({ database: new Database(join(folder, "site.db")) }),
    type: "sqlite",
  },
  emailAndPassword: { enabled: true },
  // Without rate limits, since here all requests come from one address.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  // Standard output is only for the answers to the test.
  logger: { log: (level, ...words) => console.error(level, ...words) },
  // As the issuer's documentation wants it: tokens are had at its own endpoint alone.
  disabledPaths: ["/token"],
  plugins: [
    electron(),
    genericOAuth({
      config: [
        {
          providerId: "house",
          discoveryUrl: `http://127.0.0.1:${elsewhere}/.well-known/openid-configuration`,
          clientId: website.client_id,
          clientSecret: website.client_secret,
          scopes: ["openid", "profile", "email"],
        },
      ],
    }),
    jwt(),
    oauthProvider({
      loginPage: "/issuer/sign-in",
      consentPage: "/issuer/consent",
      accessTokenExpiresIn: accessLife(300),
      generateClientId: () => CLIENT,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();
const { internalAdapter } = await auth.$context;
if (!(await internalAdapter.findUserByEmail(ANN.email))) {
  const made = await auth.api.signUpEmail({ body: { name: "Ann", ...ANN }, returnHeaders: true });
  const cookies = made.headers.getSetCookie().map((text) => text.split(";")[0]);
  await auth.api.adminCreateOAuthClient({
    headers: new Headers({ cookie: cookies.join("; ") }),
    body: {
      client_name: "Vestibule",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      scope: "openid profile email offline_access",
    },
  });
}

const PAGES = {
  // Where a sign-in at another provider ends.
  "/": (request, response) => backToApp(request, response, cookie(request, TOKEN_COOKIE)),
  "/sign-in": signInPage,
  "/issuer/sign-in": issuerSignIn,
  "/issuer/consent": issuerConsent,
};
const api = toNodeHandler(auth);
const server = createServer((request, response) => {
  const address = new URL(request.url, base);
  const page = PAGES[address.pathname];
  const done = page ? page(request, response, address) : api(request, response);
  Promise.resolve(done).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
await once(server.listen(at, "127.0.0.1"), "listening");
endWithInput();
announce(base);

/** The page that the app opens: who is signed in on this site goes on as that, others type a password. */
async function signInPage(request, response, address) {
  const query = address.search;
  const session = await auth.api.getSession({ headers: new Headers(request.headers) });
  if (request.method !== "POST") {
    const page = session
      ? ask(`/sign-in${query}`, `Go on as ${session.user.name}?`)
      : askForPassword(`/sign-in${query}`);
    return show(response, page);
  }
  const given = await fields(request);
  const answer = session
    ? await call(request, `/electron/transfer-user${query}`, {})
    : await call(request, `/sign-in/email${query}`, given);
  if (!answer.ok) return show(response, askForPassword(`/sign-in${query}`, { failed: true }));
  const cookies = answer.headers.getSetCookie();
  const token = cookies.find((text) => text.startsWith(`${TOKEN_COOKIE}=`));
  backToApp(request, response, token?.split(/[=;]/)[1], cookies);
}

/** The login page of the issuer. Its plugin answers where the browser goes next. */
async function issuerSignIn(request, response, address) {
  const here = address.pathname + address.search;
  if (request.method !== "POST") return show(response, askForPassword(here));
  const given = await fields(request);
  const body = { ...given, oauth_query: address.search.slice(1) };
  const answer = await call(request, "/sign-in/email", body);
  if (!answer.ok) return show(response, askForPassword(here, { failed: true }));
  await goOn(response, answer);
}

async function issuerConsent(request, response, address) {
  if (request.method !== "POST") {
    const client = address.searchParams.get("client_id");
    return show(response, ask(address.pathname + address.search, `Let ${client} in?`));
  }
  const given = await fields(request);
  const body = { accept: !given.cancel, oauth_query: address.search.slice(1) };
  await goOn(response, await call(request, "/oauth2/consent", body));
}

async function goOn(response, answer) {
  const { url, redirect_uri } = await answer.json();
  const headers = { location: url ?? redirect_uri, "set-cookie": answer.headers.getSetCookie() };
  response.writeHead(302, headers).end();
}

/** As `ensureElectronRedirect` does it. */
function backToApp(_request, response, token, cookies = []) {
  if (!token) return show(response, "<!doctype html><title>Home</title>");
  const spent = `${TOKEN_COOKIE}=; Max-Age=0; Path=/`;
  const location = `${SCHEME}://auth/callback#token=${token}`;
  response.writeHead(302, { location, "set-cookie": [...cookies, spent] }).end();
}

/** A call of the page's script: with the browser's cookies. */
function call(request, path, body) {
  const headers = new Headers({ "content-type": "application/json", origin: base });
  if (request.headers.cookie) headers.set("cookie", request.headers.cookie);
  const whole = new Request(`${base}/api/auth${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return auth.handler(whole);
}

function cookie(request, name) {
  const all = (request.headers.cookie ?? "").split("; ");
  return all.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
}
