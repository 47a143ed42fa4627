// An OpenID Connect provider made of `oidc-provider`: PKCE for everybody, a new refresh token at each
// refresh, revocation, codes for other devices, and a page of our own that signs people in. What it
// knows is in a file, so that sessions outlive its restart.

import { once } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { ask, askForPassword, fields, show } from "./html.js";
import { ANN, SECRET, accessLife } from "./serving.js";

const ANN_AT_HOME = { email: ANN.email, name: "Ann" };

/** Starts a provider of the class `Provider`, for these clients, with the account of one person. */
export async function serveProvider(Provider, { port, folder, clients, person = ANN_AT_HOME }) {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    adapter: adapter(join(folder, "provider.json")),
    jwks: { keys: [key(join(folder, "provider-key.json"))] },
    clients,
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email_verified: true, ...person }) }),
    cookies: { keys: [SECRET] },
    pkce: { required: () => true },
    rotateRefreshToken: () => true,
    ttl: { AccessToken: accessLife(300) },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      deviceFlow: { enabled: true },
    },
  });
  const answer = provider.callback();
  const server = createServer((request, response) => {
    const isOurs = request.url.startsWith("/interaction/");
    const done = isOurs ? interact(provider, person, request, response) : answer(request, response);
    done.catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
}

/** The page that signs a person in, and the one that asks whether the app may. */
async function interact(provider, person, request, response) {
  const open = await provider.interactionDetails(request, response);
  const { prompt, params } = open;
  const isLogin = prompt.name === "login";
  if (request.method !== "POST") {
    const page = isLogin
      ? askForPassword(request.url)
      : ask(request.url, `Let ${params.client_id} in?`);
    return show(response, page);
  }
  const given = await fields(request);
  if (given.cancel) {
    const refused = { error: "access_denied", error_description: "The person said no" };
    return provider.interactionFinished(request, response, refused);
  }
  if (isLogin) {
    if (given.email !== person.email || given.password !== ANN.password) {
      return show(response, askForPassword(request.url, { failed: true }));
    }
    return provider.interactionFinished(request, response, { login: { accountId: person.name } });
  }
  const grant = open.grantId
    ? await provider.Grant.find(open.grantId)
    : new provider.Grant({ accountId: open.session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(
    request,
    response,
    { consent },
    { mergeWithLastSubmission: true },
  );
}

/** The key that signs ID tokens, made at the first start. */
function key(file) {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const made = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig" };
    writeFileSync(file, JSON.stringify(made));
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Where the provider keeps things: all in one file, which is written at each change. */
function adapter(file) {
  const held = new Map(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []);
  const write = () => {
    writeFileSync(`${file}.new`, JSON.stringify([...held]));
    renameSync(`${file}.new`, file);
  };
  const now = () => Math.floor(Date.now() / 1000);
  return class {
    constructor(kind) {
      this.kind = kind;
    }

    async upsert(id, payload, expiresIn) {
      held.set(`${this.kind}:${id}`, { payload, until: expiresIn ? now() + expiresIn : null });
      write();
    }

    async find(id) {
      const found = held.get(`${this.kind}:${id}`);
      return found && (found.until === null || found.until > now()) ? found.payload : undefined;
    }

    async #by(member, value) {
      for (const [name, { payload }] of held) {
        const is = name.startsWith(`${this.kind}:`) && payload[member] === value;
        if (is) return this.find(name.slice(this.kind.length + 1));
      }
    }

    findByUid(uid) {
      return this.#by("uid", uid);
    }

    findByUserCode(code) {
      return this.#by("userCode", code);
    }

    async consume(id) {
      held.get(`${this.kind}:${id}`).payload.consumed = now();
      write();
    }

    async destroy(id) {
      held.delete(`${this.kind}:${id}`);
      write();
    }

    async revokeByGrantId(grantId) {
      for (const [name, { payload }] of held) if (payload.grantId === grantId) held.delete(name);
      write();
    }
  };
}
