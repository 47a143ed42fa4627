// The recipe in ../backend.md, run as it stands there.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const document = readFileSync(new URL("../backend.md", import.meta.url), "utf8");
const [, recipe] = /```js\n(.*?)```/s.exec(document);

const DAY = 24 * 3600 * 1000;
const key = randomBytes(32);
const hmac = (secret, ...parts) =>
  createHmac("sha256", secret).update(JSON.stringify(parts)).digest("base64url");
const refuse = (status, code) => {
  throw Object.assign(new Error(code), { status, code });
};

/** A backend with one session: what the recipe takes for given. */
class Backend {
  session = { id: "s", seed: "x", rotations: 0, expiresAt: 30 * DAY, rotatedAt: 0 };
  now = 0;

  token(n) {
    return `s.${n}.${hmac(key, "refresh", "s", "x", n)}`;
  }
  read = (presented) => {
    const n = Number(presented.split(".")[1]);
    return presented === this.token(n) ? { session: this.session, n } : undefined;
  };
  refresh(presented) {
    let answered;
    const given = {
      ...{ key, hmac, refuse, DAY, presented, now: this.now, read: this.read },
      save: Object.assign,
      answer: (_status, _session, token) => {
        answered = token;
      },
    };
    try {
      new Function(...Object.keys(given), recipe)(...Object.values(given));
    } catch (error) {
      if (!error.code) throw error;
      return error.code;
    }
    return answered;
  }
}

test("it rotates, gives a lost answer again, and knows a used token after years", () => {
  const backend = new Backend();
  const first = backend.token(0);
  const second = backend.refresh(first);
  assert.equal(second, backend.token(1));
  backend.now = 59_000;
  assert.equal(backend.refresh(first), second, "the same");
  let newest = second;
  for (let months = 0; months < 36; months += 1) {
    newest = backend.refresh(newest);
    assert.equal(newest, backend.token(months + 2));
    backend.now += 29 * DAY;
  }
  assert.equal(backend.refresh(first), "REFRESH_REUSED");
  assert.equal(backend.refresh(newest), "REFRESH_REUSED");
});

test("it ends a session late, and when its window has shut", () => {
  const shut = new Backend();
  shut.refresh(shut.token(0));
  shut.now = 60_000;
  assert.equal(shut.refresh(shut.token(0)), "REFRESH_REUSED");

  const used = new Backend();
  used.refresh(used.refresh(used.token(0)));
  assert.equal(used.refresh(used.token(0)), "REFRESH_REUSED");

  const late = new Backend();
  late.now = 30 * DAY;
  assert.equal(late.refresh(late.token(0)), "TOKEN_EXPIRED");
  assert.equal(late.refresh("s.0.made-up"), "TOKEN_INVALID");
});
