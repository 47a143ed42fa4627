// A backend that keeps to Vestibule's contract, small enough to be read in one sitting and
// careful enough to be copied: `attack.mjs` beside it does what an attacker would, and fails.
// What matters most is `POST /refresh-token`: rotation, a grace window, and the end of a session
// whose token was used twice. Everything is in memory; where you have a database, a function
// that says "one step" is one statement there, or one transaction.
//
//   npm install && npm start          then: vestibule doctor --backend http://127.0.0.1:4590 …
//   npm test                          the attack
//
// Not in it, because it has nothing to do with the contract: mail, a password reset, a
// database, TLS. For that put a proxy on this machine in front and set NODE_ENV=production,
// which marks cookies Secure and takes the client's address from what the proxy says.

import {
  createHmac,
  randomBytes,
  randomInt,
  randomUUID,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import express from "express";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const ACCESS_LIFE = 15 * MINUTE;
const REFRESH_LIFE = 30 * DAY;
const GRACE = Number(process.env.GRACE_SECONDS ?? 60) * SECOND;
const CODE_LIFE = 5 * MINUTE;
const RESEND_AFTER = 30 * SECOND;
const COOKIE = "__refresh_token";
const PRODUCTION = process.env.NODE_ENV === "production";

// Nothing here grows with what strangers send.
const MOST_ACCOUNTS = 10_000;
const MOST_SESSIONS = 20; // of one account
const MOST_STRANGERS = 10_000; // addresses and e-mails that are nobody's
const MOST_HASHES = 16; // under way at once

// Wrong tries in a row that cost nothing; then how long to wait, twice as long after each. With
// the password somebody has got half way: who guesses codes waits for up to a day.
const PASSWORDS = { free: 10, first: 30 * SECOND, most: 15 * MINUTE };
const CODES = { free: 5, first: MINUTE, most: DAY };

// ---- what a database would hold ------------------------------------------------------------

/** A map in which nothing stays: an entry lives so long after it was set, and the oldest goes
 * where there is no room. All live equally long, so the next to go is always the first. */
class ExpiringMap {
  #entries = new Map();

  constructor(life, most) {
    Object.assign(this, { life, most });
  }

  get(key) {
    const entry = this.#entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key, value) {
    const now = Date.now();
    this.#entries.delete(key); // so that it comes last
    this.#entries.set(key, { value, until: now + this.life });
    for (const [first, { until }] of this.#entries) {
      if (until > now && this.#entries.size <= this.most) break;
      this.#entries.delete(first);
    }
    return value;
  }

  delete(key) {
    this.#entries.delete(key);
  }

  get size() {
    return this.#entries.size;
  }
}

const accounts = new Map(); // email -> see `insert`
// An ended or expired session stays for a while, to say what became of it.
const sessions = new ExpiringMap(2 * REFRESH_LIFE, MOST_ACCOUNTS * MOST_SESSIONS); // id -> see `begin`
const challenges = new ExpiringMap(CODE_LIFE, MOST_ACCOUNTS); // email -> { sealed, device, sentAt }
const strangers = new ExpiringMap(DAY, MOST_STRANGERS); // email of nobody -> { wrong, last }
const callers = new ExpiringMap(MINUTE, MOST_STRANGERS); // path and address -> { since, count }

export const kept = { accounts, sessions, challenges, strangers, callers, ExpiringMap }; // for the attack

// ---- refusals: always JSON, always { message, code } ----------------------------------------

class Refusal extends Error {
  constructor(status, code, message, wait) {
    super(message);
    Object.assign(this, { status, code, retryAfter: wait && Math.ceil(wait / SECOND) });
  }
}
const refuse = (...why) => {
  throw new Refusal(...why);
};

// ---- what comes in --------------------------------------------------------------------------

const LONGEST = { name: 100, email: 254, password: 200, code: 20 };
const isText = (value, most) =>
  typeof value === "string" && value.trim() !== "" && value.length <= most;

/** The device, and these members of a body, which must be there; an e-mail in the one way it is
 * kept. Here and nowhere else: a limit that counts spellings apart is no limit. */
function input(request, ...names) {
  const body = request.body ?? {};
  for (const name of names)
    if (!isText(body[name], LONGEST[name]))
      refuse(422, "INVALID_INPUT", `${name} is missing or too long`);
  const email = body.email.normalize("NFKC").trim().toLowerCase();
  if (!/^[^\s\p{C}@]+@[^\s\p{C}@]+$/u.test(email))
    refuse(422, "INVALID_INPUT", "this is not an e-mail address");
  const { fingerprint, os, browser } = body.fingerprint ?? {};
  if (![fingerprint, os, browser].every((value) => isText(value, 200)))
    refuse(422, "INVALID_INPUT", "fingerprint must be {fingerprint, os, browser}");
  return { ...body, email, device: { fingerprint, os, browser } };
}

/** One household or one rented machine has a whole /64 of IPv6. */
const network = (ip = "") =>
  ip.includes(".") ? ip : `${ip.split("::")[0]}:0:0:0:0`.split(":").slice(0, 4).join(":");

/** At most so many requests a minute from one network. */
const limit = (most) => (request, _response, next) => {
  const who = `${request.route.path} ${network(request.ip)}`; // as declared: /LOGIN is /login
  const now = Date.now();
  const window = callers.get(who) ?? callers.set(who, { since: now, count: 0 });
  if (window.count >= most)
    refuse(429, "TOO_MANY_REQUESTS", "too many requests", window.since + MINUTE - now);
  window.count += 1;
  next();
};

/** How long the wait after the last wrong try still lasts. */
function waitAfter(tries, { free, first, most }) {
  const whole = tries.wrong < free ? 0 : Math.min(first * 2 ** (tries.wrong - free), most);
  return Math.max(0, tries.last + whole - Date.now());
}

function refuseTooSoon(tries, rule) {
  const wait = waitAfter(tries, rule);
  if (wait > 0) refuse(423, "ACCOUNT_LOCKED", "too many wrong tries", wait);
}

/** One step: a try is counted before it is judged, so that many at once cannot slip past. */
function countTry(tries, rule) {
  refuseTooSoon(tries, rule);
  Object.assign(tries, { wrong: tries.wrong + 1, last: Date.now() });
}
const noTries = () => ({ wrong: 0, last: 0 });

// ---- secrets --------------------------------------------------------------------------------

// Where your sessions outlive the process, so must this: from the environment, say, but not from
// the database, as a copy of that alone must be of no use.
const key = randomBytes(32);
const seal = (...parts) =>
  createHmac("sha256", key).update(JSON.stringify(parts)).digest("base64url");

/** In constant time. */
function isSame(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const COST = { N: 2 ** 14, r: 8, p: 5 }; // 16 MiB each; OWASP's password storage cheat sheet
const derive = promisify(scrypt);
let hashing = 0;

function refuseWhenBusy() {
  if (hashing >= MOST_HASHES) refuse(503, "BUSY", "too many sign-ins at once", SECOND);
}

async function hashed(password, salt) {
  hashing += 1;
  try {
    return await derive(password.normalize("NFKC"), salt, 32, COST);
  } finally {
    hashing -= 1;
  }
}

// ---- accounts -------------------------------------------------------------------------------

/** One step, as an insert under a unique index is: whoever looks first and hashes then has
 * looked too early. Answers the account, or nothing if the address is taken. */
function insert(account) {
  if (accounts.has(account.email)) return undefined;
  if (accounts.size >= MOST_ACCOUNTS) refuse(503, "FULL", "there is no room for an account");
  const more = { id: randomUUID(), roles: ["user"], passwords: noTries(), codes: noTries() };
  accounts.set(account.email, { ...more, sessions: [], ...account });
  return accounts.get(account.email);
}

async function create(name, email, password, more) {
  refuseWhenBusy();
  const salt = randomBytes(16);
  return insert({ name, email, salt, hash: await hashed(password, salt), ...more });
}

// Nobody's password: an e-mail that is nobody's takes as long, and locks like any other.
const nobody = { salt: randomBytes(16), hash: randomBytes(32) };

/** Where wrong passwords are counted: for the account, save from a device that was signed in to
 * it before. Else anybody could keep its owner out. */
function passwordTries(account, email, device) {
  const isItsOwn = (one) => one.device.fingerprint === device.fingerprint;
  if (account) return account.sessions.find(isItsOwn)?.passwords ?? account.passwords;
  return strangers.get(email) ?? strangers.set(email, noTries());
}

async function accountOf({ email, password, device }) {
  refuseWhenBusy();
  const account = accounts.get(email);
  const tries = passwordTries(account, email, device);
  countTry(tries, PASSWORDS);
  const { salt, hash } = account ?? nobody;
  if (!timingSafeEqual(await hashed(password, salt), hash))
    refuse(401, "INVALID_CREDENTIALS", "the e-mail or the password is wrong");
  Object.assign(tries, noTries()); // those of codes are not forgotten for that
  return account;
}

// ---- sessions and their tokens --------------------------------------------------------------

function begin(account, device) {
  const now = Date.now();
  const session = {
    id: randomUUID(),
    seed: randomBytes(16).toString("base64url"),
    account,
    device,
    passwords: noTries(),
    createdAt: now,
    lastUsedAt: now,
    rotatedAt: now,
    rotations: 0,
    expiresAt: now + REFRESH_LIFE,
    ended: undefined, // then a code of WHY
  };
  account.sessions.sort((one, other) => other.lastUsedAt - one.lastUsedAt);
  for (const { id } of account.sessions.splice(MOST_SESSIONS - 1)) sessions.delete(id);
  account.sessions.unshift(session);
  return sessions.set(session.id, session);
}

/** A session's token number n, of a kind. It is made again whenever it is wanted, so none is
 * kept; and neither the key nor a copy of the database is enough to make one. */
const token = (kind, session, n) => `${session.id}.${n}.${seal(kind, session.id, session.seed, n)}`;

/** The session and the number of such a token; nothing, if it is none of ours. */
function read(kind, text = "") {
  const [id, n] = text.split(".");
  const session = sessions.get(id);
  return session && isSame(text, token(kind, session, Number(n)))
    ? { session, n: Number(n) }
    : undefined;
}

/** `S`: the user, a fresh access token, and the refresh token as a cookie. */
function answer(response, status, session) {
  const now = Date.now();
  const access = token("access", session, now + ACCESS_LIFE);
  const { id, name, email, roles } = session.account;
  const life = Math.ceil((session.expiresAt - now) / SECOND);
  setCookie(response, token("refresh", session, session.rotations), life);
  response.status(status).json({
    user: { id, name, email, roles },
    tokens: {
      token: access,
      expires: new Date(now + ACCESS_LIFE).toISOString(),
      expiresIn: ACCESS_LIFE / SECOND,
    },
  });
}

function setCookie(response, value, seconds) {
  // Path=/ so that it reaches the sign-out too.
  const flags = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  response.append("Set-Cookie", `${COOKIE}=${value}; ${flags}${PRODUCTION ? "; Secure" : ""}`);
}

function cookieOf(request) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name, value]) => name === COOKIE && value)?.[1];
}

/** The session of a bearer token. */
function signedIn(request) {
  const { session, n: until } =
    read("access", /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1]) ?? {};
  if (!session || session.ended || until <= Date.now())
    refuse(401, "ACCESS_INVALID", "there is no access token, or it is not good any more");
  return session;
}

const WHY = {
  SESSION_ENDED: "this session was signed out",
  SESSION_REVOKED: "this session was ended from elsewhere",
  REFRESH_REUSED: "a refresh token was used twice; the session has ended",
};

// ---- the endpoints --------------------------------------------------------------------------

const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.set("trust proxy", PRODUCTION && "loopback"); // else anybody could say where he comes from
app.use((_request, response, next) => {
  response.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
  next();
});
app.use(express.json({ limit: "16kb" }));

app.post("/login", limit(60), async (request, response) => {
  const given = input(request, "email", "password");
  const account = await accountOf(given);
  if (!account.wantsCode) return answer(response, 200, begin(account, given.device));
  sendCode(account, given.device);
  response.json({ otpRequired: true, email: account.email }); // and no session yet
});

app.post("/register", limit(10), async (request, response) => {
  const { name, email, password, device } = input(request, "name", "email", "password");
  if (password.length < 8) refuse(422, "INVALID_INPUT", "a password has 8 characters or more");
  // That an address is taken is told. Who must not tell it mails a code in either case.
  const account = await create(name, email, password);
  if (!account) refuse(409, "EMAIL_TAKEN", "there is an account with this e-mail");
  answer(response, 201, begin(account, device));
});

/** Sends a code, and none where one was sent a moment ago: nobody floods a mailbox. */
function sendCode(account, device) {
  refuseTooSoon(account.codes, CODES);
  const now = Date.now();
  const last = challenges.get(account.email);
  const wait = last ? last.sentAt + RESEND_AFTER - now : 0;
  if (wait > 0 && last.device.fingerprint === device.fingerprint) return;
  if (wait > 0) refuse(429, "TOO_MANY_REQUESTS", "a code was sent a moment ago", wait);
  const code = String(randomInt(1_000_000)).padStart(6, "0");
  challenges.set(account.email, {
    sealed: seal("code", account.id, now, code),
    device,
    sentAt: now,
  });
  console.log(`code for ${account.email}: ${code}`); // here you would mail it
}

/** What is asked of this device; to another it says no more than that there is nothing. */
function challengeOf(email, device) {
  const challenge = challenges.get(email);
  if (challenge?.device.fingerprint !== device.fingerprint)
    refuse(410, "OTP_EXPIRED", "sign in again to get a code");
  return challenge;
}

app.post("/verify-otp", limit(60), (request, response) => {
  const { email, code, device } = input(request, "email", "code");
  // one step, from here …
  const challenge = challengeOf(email, device);
  const account = accounts.get(email);
  // Counted for the account: neither another code nor another sign-in brings more tries.
  countTry(account.codes, CODES);
  const given = seal("code", account.id, challenge.sentAt, code.replace(/\s/g, ""));
  const right = isSame(given, challenge.sealed);
  const wait = waitAfter(account.codes, CODES);
  if (right || wait > 0) challenges.delete(email);
  if (!right && wait > 0) refuse(423, "OTP_TOO_MANY", "too many wrong codes", wait);
  if (!right) refuse(400, "OTP_INVALID", "the code is wrong");
  account.codes = noTries();
  // … to here
  answer(response, 200, begin(account, device));
});

app.post("/resend-otp", limit(20), (request, response) => {
  const { email, device } = input(request, "email");
  const wait = challengeOf(email, device).sentAt + RESEND_AFTER - Date.now();
  if (wait > 0) refuse(429, "TOO_MANY_REQUESTS", "a code was sent a moment ago", wait);
  sendCode(accounts.get(email), device);
  response.status(204).end();
});

app.post("/refresh-token", limit(120), (request, response) => {
  const presented = cookieOf(request) ?? refuse(401, "TOKEN_MISSING", "there is no refresh token");
  // one step, from here …
  const { session, n } =
    read("refresh", presented) ?? refuse(401, "TOKEN_INVALID", "nobody issued this refresh token");
  if (session.ended) refuse(401, session.ended, WHY[session.ended]);
  // From another device nothing changes: the owner's goes on as before.
  if (session.device.fingerprint !== request.body?.fingerprint?.fingerprint)
    refuse(403, "DEVICE_MISMATCH", "this session belongs to another device");
  const now = Date.now();
  if (n === session.rotations) {
    if (session.expiresAt <= now) refuse(401, "TOKEN_EXPIRED", "the session has expired");
    const fresh = { rotatedAt: now, lastUsedAt: now, expiresAt: now + REFRESH_LIFE };
    sessions.set(session.id, Object.assign(session, fresh, { rotations: n + 1 }));
  } else if (n !== session.rotations - 1 || now - session.rotatedAt >= GRACE) {
    // Used before, however long ago. Somebody has a copy, and nobody knows who is the thief:
    // the whole family ends.
    session.ended = "REFRESH_REUSED";
    refuse(401, "REFRESH_REUSED", WHY.REFRESH_REUSED);
  } // Else nobody has used the successor: our answer was lost, and the same client asks again.
  // … to here
  answer(response, 200, session);
});

app.post("/logout", (request, response) => {
  const { session } = read("refresh", cookieOf(request)) ?? {};
  setCookie(response, "", 0);
  if (!session) refuse(401, "TOKEN_MISSING", "there is nothing to sign out");
  session.ended ??= "SESSION_ENDED";
  response.status(204).end();
});

const standing = ({ account }) =>
  account.sessions.filter((one) => !one.ended && one.expiresAt > Date.now());

app.get("/sessions", (request, response) => {
  const own = signedIn(request);
  const list = standing(own).map(({ id, device, createdAt, lastUsedAt }) => ({
    id,
    device,
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
    current: id === own.id,
  }));
  response.json(list);
});

app.delete("/sessions/:id", (request, response) => {
  const session = standing(signedIn(request)).find(({ id }) => id === request.params.id);
  if (!session) refuse(404, "NOT_FOUND", "there is no such session");
  session.ended = "SESSION_REVOKED";
  response.status(204).end();
});

app.post("/logout-all", (request, response) => {
  for (const session of standing(signedIn(request))) session.ended = "SESSION_REVOKED";
  response.status(204).end();
});

app.get("/me", (request, response) => {
  const { id, name, email, roles } = signedIn(request).account;
  response.json({ user: { id, name, email, roles } });
});

app.use(() => refuse(404, "NOT_FOUND", "there is nothing at this address"));

// Express' own pages would say nothing to the app: everything is JSON. Only our own words are
// told: those of a parser quote what it could not read, and that may be a password.
app.use((error, _request, response, _next) => {
  const ours = error instanceof Refusal;
  const status = error.status ?? 500;
  if (!ours && status >= 500) console.error(error.stack);
  if (error.retryAfter) response.set("Retry-After", String(error.retryAfter));
  const other =
    status < 500
      ? ["INVALID_INPUT", "the request cannot be read"]
      : ["FAULT", "something went wrong here"];
  const [code, message] = ours ? [error.code, error.message] : other;
  response.status(status).json({ message, code });
});

await create("Dana Demo", "demo@example.com", "example-password");
await create("Otto Post", "otp@example.com", "example-password", { wantsCode: true });
export const server = app.listen(Number(process.env.PORT ?? 4590), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
server.requestTimeout = 20 * SECOND;
