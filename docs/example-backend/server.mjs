// A backend that keeps to Vestibule's contract, small enough to be read in one sitting. What
// matters is `POST /refresh-token`: rotation, a grace window, and the end of a session whose
// token was used twice. Everything is in memory; where you have a database, what stands
// between "begin" and "commit" below is one transaction.
//
//   npm install && npm start          then: vestibule doctor --backend http://127.0.0.1:4590 …
//
// Not in it, because it has nothing to do with the contract: mail, a password reset, a
// database, TLS (put a proxy in front and set NODE_ENV=production, which marks cookies Secure).

import { createHash, createHmac, randomBytes, randomInt, randomUUID, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import express from "express";

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;
const ACCESS_LIFE = 15 * 60 * SECOND;
const REFRESH_LIFE = 30 * DAY;
const GRACE = Number(process.env.GRACE_SECONDS ?? 60) * SECOND;
const CODE_LIFE = 5 * 60 * SECOND;
const RESEND_AFTER = Number(process.env.RESEND_SECONDS ?? 30) * SECOND;
const TRIES_A_MINUTE = 10;
const COOKIE = "__refresh_token";

// ---- what a database would hold ------------------------------------------------------------

const accounts = new Map(); // email -> { id, name, email, roles, salt, hash, wantsCode }
const sessions = new Map(); // id -> { id, account, device, createdAt, lastUsedAt, ended }
const refreshTokens = new Map(); // sha256(token) -> { session, expiresAt, usedAt, nonce }
const accessTokens = new Map(); // sha256(token) -> { session, expiresAt }
const challenges = new Map(); // email -> { hash, device, expiresAt, sentAt, wrong }
const attempts = new Map(); // route + address + email -> times of the last minute

const key = randomBytes(32); // keep yours: a restart would forget what successors there are
const sha256 = (text) => createHash("sha256").update(text).digest("base64url");
const random = () => randomBytes(32).toString("base64url");

// ---- refusals: always JSON, always { message, code } ----------------------------------------

class Refusal extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    Object.assign(this, { status, code, retryAfter });
  }
}
const refuse = (status, code, message, retryAfter) => {
  throw new Refusal(status, code, message, retryAfter);
};

/** The members of a body that must be there, as texts; an e-mail in the one way it is kept. */
function input(request, ...names) {
  const body = request.body ?? {};
  for (const name of names) {
    if (typeof body[name] !== "string" || body[name].trim() === "" || body[name].length > 200)
      refuse(422, "INVALID_INPUT", `${name} is missing or too long`);
  }
  // Here and nowhere else: a limit that counts spellings apart is no limit.
  return { ...body, email: body.email.trim().toLowerCase() };
}

// ---- passwords ------------------------------------------------------------------------------

const derive = promisify(scrypt);
const hashed = (password, salt) => derive(password, salt, 32, { N: 16384, r: 8, p: 1 });

async function add(name, email, password, more = {}) {
  const salt = randomBytes(16);
  const account = { id: randomUUID(), name, email, roles: ["user"], salt, ...more };
  account.hash = await hashed(password, salt);
  accounts.set(email, account);
  return account;
}

const nobody = await add("Nobody", "", random()); // so that a wrong e-mail takes as long
accounts.delete("");

async function accountOf(email, password) {
  const account = accounts.get(email) ?? nobody;
  const right = timingSafeEqual(await hashed(password, account.salt), account.hash);
  if (!right || account === nobody)
    refuse(401, "INVALID_CREDENTIALS", "the e-mail or the password is wrong");
  return account;
}

/** At most so many tries a minute at each path, per address and account. */
function limit(request, email) {
  const now = Date.now();
  const mine = `${request.route.path} ${request.ip} ${email}`; // as declared: /LOGIN is /login
  const recent = (attempts.get(mine) ?? []).filter((at) => now - at < 60 * SECOND);
  if (recent.length >= TRIES_A_MINUTE) {
    const wait = Math.ceil((recent[0] + 60 * SECOND - now) / SECOND);
    refuse(429, "TOO_MANY_REQUESTS", "too many tries", wait);
  }
  attempts.set(mine, [...recent, now]);
}

// ---- sessions -------------------------------------------------------------------------------

function begin(account, device) {
  const now = Date.now();
  const session = { id: randomUUID(), account, device, createdAt: now, lastUsedAt: now };
  sessions.set(session.id, session);
  return session;
}

function issue(session, token) {
  const expiresAt = Date.now() + REFRESH_LIFE;
  refreshTokens.set(sha256(token), { session, expiresAt, usedAt: null, nonce: null });
  return token;
}

/** `S`: the user, a fresh access token, and the refresh token as a cookie. */
function answer(response, status, session, refreshToken) {
  const token = random();
  const expiresAt = Date.now() + ACCESS_LIFE;
  accessTokens.set(sha256(token), { session, expiresAt });
  const { id, name, email, roles } = session.account;
  setCookie(response, refreshToken, REFRESH_LIFE / SECOND);
  response.status(status).json({
    user: { id, name, email, roles },
    tokens: { token, expires: new Date(expiresAt).toISOString(), expiresIn: ACCESS_LIFE / SECOND },
  });
}

function setCookie(response, value, seconds) {
  // Path=/ so that it reaches the sign-out too.
  const secure = process.env.NODE_ENV === "production" ? "; Secure" : "";
  response.append(
    "Set-Cookie",
    `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`,
  );
}

function cookieOf(request) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name, value]) => name === COOKIE && value)?.[1];
}

/** The session of a bearer token. */
function signedIn(request) {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
  const known = token && accessTokens.get(sha256(token));
  if (!known || known.session.ended || known.expiresAt <= Date.now())
    refuse(401, "ACCESS_INVALID", "there is no access token, or it is not good any more");
  return known.session;
}

const WHY = {
  SESSION_ENDED: "this session was signed out",
  SESSION_REVOKED: "this session was ended from elsewhere",
  REFRESH_REUSED: "a refresh token was used twice; the session has ended",
};

// ---- the endpoints --------------------------------------------------------------------------

const app = express();
app.disable("x-powered-by");
app.use(express.json({ limit: "64kb" }));

app.post("/login", async (request, response) => {
  const { email, password, fingerprint } = input(request, "email", "password");
  limit(request, email);
  const account = await accountOf(email, password);
  if (account.wantsCode) {
    sendCode(account, fingerprint);
    return response.json({ otpRequired: true, email: account.email }); // and no session yet
  }
  const session = begin(account, fingerprint);
  answer(response, 200, session, issue(session, random()));
});

app.post("/register", async (request, response) => {
  const { name, password, fingerprint, email } = input(request, "name", "email", "password");
  limit(request, email);
  if (!email.includes("@") || password.length < 8)
    refuse(422, "INVALID_INPUT", "an e-mail address, and a password of 8 characters or more");
  if (accounts.has(email)) refuse(409, "EMAIL_TAKEN", "there is an account with this e-mail");
  const session = begin(await add(name, email, password), fingerprint);
  answer(response, 201, session, issue(session, random()));
});

function sendCode(account, device, wrong = 0) {
  const code = String(randomInt(1_000_000)).padStart(6, "0");
  const now = Date.now();
  const until = { expiresAt: now + CODE_LIFE, sentAt: now, wrong };
  challenges.set(account.email, { hash: sha256(code), device, ...until });
  console.log(`code for ${account.email}: ${code}`); // here you would mail it
}

function challengeOf(email) {
  const challenge = challenges.get(email);
  if (!challenge || challenge.expiresAt <= Date.now())
    refuse(410, "OTP_EXPIRED", "sign in again to get a code");
  if (challenge.wrong >= 5) refuse(423, "OTP_TOO_MANY", "too many wrong codes");
  return challenge;
}

app.post("/verify-otp", (request, response) => {
  const { email, code } = input(request, "email", "code");
  limit(request, email);
  const challenge = challengeOf(email);
  if (sha256(code) !== challenge.hash) {
    challenge.wrong += 1;
    challengeOf(email); // the fifth is the last
    refuse(400, "OTP_INVALID", "the code is wrong");
  }
  const account = accounts.get(email);
  challenges.delete(account.email);
  const session = begin(account, challenge.device);
  answer(response, 200, session, issue(session, random()));
});

app.post("/resend-otp", (request, response) => {
  const { email } = input(request, "email");
  limit(request, email);
  const challenge = challengeOf(email);
  const wait = Math.ceil((challenge.sentAt + RESEND_AFTER - Date.now()) / SECOND);
  if (wait > 0) refuse(429, "TOO_MANY_REQUESTS", "a code was sent a moment ago", wait);
  sendCode(accounts.get(email), challenge.device, challenge.wrong); // a new code, no new tries
  response.status(204).end();
});

// Nothing readable is kept of a successor: it is made again from its parent.
const successorOf = (parent, nonce) =>
  createHmac("sha256", key).update(parent).update(nonce).digest("base64url");

app.post("/refresh-token", (request, response) => {
  const presented = cookieOf(request) ?? refuse(401, "TOKEN_MISSING", "there is no refresh token");
  // begin
  const token = refreshTokens.get(sha256(presented));
  if (!token) refuse(401, "TOKEN_INVALID", "nobody issued this refresh token");
  const { session } = token;
  if (session.ended) refuse(401, session.ended, WHY[session.ended]);
  // From another device nothing changes: the owner's goes on as before.
  if (session.device?.fingerprint !== request.body?.fingerprint?.fingerprint)
    refuse(403, "DEVICE_MISMATCH", "this session belongs to another device");
  if (token.expiresAt <= Date.now()) refuse(401, "TOKEN_EXPIRED", "the session has expired");
  if (token.usedAt === null) {
    token.usedAt = Date.now();
    token.nonce = randomBytes(16);
    issue(session, successorOf(presented, token.nonce));
  } else {
    // Used before. Either our answer was lost, and the same client asks again; or somebody has
    // a copy. Within the window, and while nobody has used the successor, it is the former.
    const successor = refreshTokens.get(sha256(successorOf(presented, token.nonce)));
    const isLostAnswer = Date.now() - token.usedAt < GRACE && successor.usedAt === null;
    if (!isLostAnswer) {
      session.ended = "REFRESH_REUSED"; // the whole family: nobody knows who is the thief
      refuse(401, "REFRESH_REUSED", WHY.REFRESH_REUSED);
    }
  }
  session.lastUsedAt = Date.now();
  // commit
  answer(response, 200, session, successorOf(presented, token.nonce));
});

app.post("/logout", (request, response) => {
  const token = refreshTokens.get(sha256(cookieOf(request) ?? ""));
  setCookie(response, "", 0);
  if (!token) refuse(401, "TOKEN_MISSING", "there is nothing to sign out");
  token.session.ended ??= "SESSION_ENDED";
  response.status(204).end();
});

app.get("/sessions", (request, response) => {
  const own = signedIn(request);
  const alive = [...sessions.values()].filter((one) => one.account === own.account && !one.ended);
  response.json(
    alive.map(({ id, device, createdAt, lastUsedAt }) => ({
      id,
      device: device ?? null,
      createdAt: new Date(createdAt).toISOString(),
      lastUsedAt: new Date(lastUsedAt).toISOString(),
      current: id === own.id,
    })),
  );
});

app.delete("/sessions/:id", (request, response) => {
  const own = signedIn(request);
  const session = sessions.get(request.params.id);
  if (!session || session.account !== own.account || session.ended)
    refuse(404, "NOT_FOUND", "there is no such session");
  session.ended = "SESSION_REVOKED";
  response.status(204).end();
});

app.post("/logout-all", (request, response) => {
  const { account } = signedIn(request);
  for (const one of sessions.values())
    if (one.account === account) one.ended ??= "SESSION_REVOKED";
  response.status(204).end();
});

app.get("/me", (request, response) => {
  const { id, name, email, roles } = signedIn(request).account;
  response.json({ user: { id, name, email, roles } });
});

app.use(() => refuse(404, "NOT_FOUND", "there is nothing at this address"));

// Express' own pages would say nothing to the app: everything is JSON.
app.use((error, _request, response, _next) => {
  const status = error.status ?? 500;
  if (status >= 500) console.error(error);
  if (error.retryAfter) response.set("Retry-After", String(error.retryAfter));
  const told = error instanceof Refusal || status < 500;
  response.status(status).json({
    message: told ? error.message : "something went wrong here",
    code: error instanceof Refusal ? error.code : status < 500 ? "INVALID_INPUT" : "FAULT",
  });
});

await add("Dana Demo", "demo@example.com", "example-password");
await add("Otto Post", "otp@example.com", "example-password", { wantsCode: true });
const server = app.listen(Number(process.env.PORT ?? 4590), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
