// What an attacker would do to the example, each of it a test that says how it fails. Real HTTP,
// a clock that is moved by hand, and cheap password hashes (one test looks at the price of the
// real ones). Where you have copied the example, run this against your copy.

import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { mock, test } from "node:test";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const PASSWORD = "example-password";

const hashes = []; // the price of each hash that was asked for
let hashing = Promise.resolve(); // what they wait for
let noticed = () => {}; // is called for each
const { scrypt } = crypto;
crypto.scrypt = (password, salt, length, cost, done) => {
  hashes.push(cost);
  noticed();
  hashing.then(() => scrypt(password, salt, length, { N: 2 }, done));
};
syncBuiltinESMExports();

let now = Date.now();
Date.now = () => now;
const later = (time) => {
  now += time;
};

/** Does this to an example of its own. */
const attack = (what, how, environment = {}) =>
  test(what, { timeout: 5 * MINUTE }, async () => {
    const [codes, faults] = [[], []];
    mock.method(console, "log", (line) => {
      const [, email, code] = /^code for (\S+): (\d{6})$/.exec(line) ?? [];
      if (code) codes.push({ email, code });
    });
    mock.method(console, "error", (line) => faults.push(line));
    Object.assign(process.env, { PORT: "0", NODE_ENV: "test" }, environment);
    const { server, kept } = await import(`./server.mjs?${crypto.randomUUID()}`);
    server.keepAliveTimeout = 0; // by the real clock: a slow machine would lose connections
    if (!server.listening) await new Promise((done) => server.once("listening", done));
    const address = `http://127.0.0.1:${server.address().port}`;
    try {
      await how({ device: (more) => new Device(address, more), codes, kept });
      assert.deepEqual(faults, [], "nothing broke on the way");
    } finally {
      [hashing, noticed] = [Promise.resolve(), () => {}];
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      mock.restoreAll();
    }
  });
const PRODUCTION = { NODE_ENV: "production" };

/** Somebody with a device: a client of the contract, and what it holds. */
class Device {
  constructor(address, more) {
    const fingerprint = { fingerprint: crypto.randomUUID(), os: "an os", browser: "an app" };
    Object.assign(this, { address, headers: {}, fingerprint }, more);
  }

  /** The same, later or in other hands. */
  copy(more) {
    return Object.assign(new Device(this.address), structuredClone({ ...this }), more);
  }

  async send(method, path, body, type = "application/json") {
    const headers = { ...this.headers, "content-type": type };
    if (this.refreshToken) headers.cookie = `__refresh_token=${this.refreshToken}`;
    if (this.accessToken) headers.authorization = `Bearer ${this.accessToken}`;
    const response = await fetch(this.address + path, { method, headers, body });
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, text };
    if (text) Object.assign(answer, { body: JSON.parse(text), code: JSON.parse(text).code });
    answer.cookie = response.headers.get("set-cookie");
    if (answer.cookie) this.refreshToken = /=([^;]*)/.exec(answer.cookie)[1];
    this.accessToken = answer.body?.tokens?.token ?? this.accessToken;
    return answer;
  }

  post(path, body) {
    return this.send("POST", path, JSON.stringify({ fingerprint: this.fingerprint, ...body }));
  }
  login(email = "demo@example.com", password = PASSWORD) {
    return this.post("/login", { email, password });
  }
  register(email, password) {
    return this.post("/register", { name: "Eve", email, password });
  }
  verify(code, email = "otp@example.com") {
    return this.post("/verify-otp", { email, code });
  }
  resend(email = "otp@example.com") {
    return this.post("/resend-otp", { email });
  }
  refresh() {
    return this.post("/refresh-token", {});
  }
  me() {
    return this.send("GET", "/me");
  }
  /** Signed in, or the test has failed. */
  async in(email) {
    assert.equal((await this.login(email)).status, 200);
    return this;
  }
}

/** That many at once; answers what they got. */
const together = (many, one) => Promise.all(Array.from({ length: many }, (_, index) => one(index)));
const counted = (answers) => {
  const tally = {};
  for (const { status, code } of answers) {
    const what = code ? `${status} ${code}` : `${status}`;
    tally[what] = (tally[what] ?? 0) + 1;
  }
  return tally;
};
const wrongOf = (code) => (code === "000000" ? "000001" : "000000");
const waitOf = ({ headers }) => Number(headers.get("retry-after")) * 1000;

// ---- registrations --------------------------------------------------------------------------

attack("many register one address at once: one of them has it", async ({ device, kept }) => {
  const everybody = Array.from({ length: 8 }, () => device());
  const answers = await together(8, (index) =>
    everybody[index].register(
      index % 2 ? "new@example.com" : " NEW@Example.com",
      `password-${index}`,
    ),
  );
  assert.deepEqual(counted(answers), { 201: 1, "409 EMAIL_TAKEN": 7 });
  const winner = answers.findIndex(({ status }) => status === 201);
  const signedIn = await Promise.all(everybody.map((one) => one.me()));
  assert.deepEqual(
    signedIn.map(({ status }) => status),
    everybody.map((_, index) => (index === winner ? 200 : 401)),
  );
  for (const index of [winner, (winner + 1) % 8]) {
    const { status } = await device().login("new@example.com", `password-${index}`);
    assert.equal(status, index === winner ? 200 : 401);
  }
  assert.equal(kept.accounts.size, 3);
});

attack("an address in other letters is no second account", async ({ device }) => {
  for (const spelling of ["DEMO@example.com", "\tdemo@example.com ", "ｄｅｍｏ@example.com"])
    assert.equal((await device().register(spelling, "another-one")).code, "EMAIL_TAKEN", spelling);
  for (const none of [
    "demo",
    "a b@example.com",
    "a@b@example.com",
    "a\ncode@example.com",
    "a\0@b",
    7,
    {},
  ])
    assert.equal((await device().register(none, "another-one")).code, "INVALID_INPUT");
});

// ---- codes ----------------------------------------------------------------------------------

attack(
  "who has the password guesses the code, from one sign-in to the next",
  async ({ device, codes }) => {
    let guesses = 0;
    const begun = Date.now();
    let wait = 0;
    while (Date.now() - begun < 30 * DAY) {
      const eve = device(); // with another device each time
      const login = await eve.login("otp@example.com");
      if (login.status !== 200) {
        assert.ok(["ACCOUNT_LOCKED", "TOO_MANY_REQUESTS"].includes(login.code), login.text);
        assert.ok(login.code !== "ACCOUNT_LOCKED" || waitOf(login) >= wait, "it never gets easier");
        if (login.code === "ACCOUNT_LOCKED") wait = waitOf(login);
        later(waitOf(login));
        continue;
      }
      for (let answer = { status: 400 }; answer.status === 400; guesses += 1) {
        assert.ok(guesses < 5 + 11 + 30, "guesses in a month");
        answer = await eve.verify(wrongOf(codes.at(-1).code));
        if (guesses % 2) await eve.resend();
      }
    }
    // And it is the owner's again, who waits, and has a code.
    later(DAY);
    const owner = await device().in("otp@example.com");
    assert.equal((await owner.verify(codes.at(-1).code)).status, 200);
    const next = await device().in("otp@example.com");
    assert.equal(
      (await next.verify(wrongOf(codes.at(-1).code))).code,
      "OTP_INVALID",
      "from the start",
    );
  },
);

attack("many guesses at once are no more guesses", async ({ device, codes }) => {
  const eve = await device().in("otp@example.com");
  const wrong = wrongOf(codes.at(-1).code);
  const answers = counted(await together(40, () => eve.verify(wrong)));
  assert.equal(answers["400 OTP_INVALID"], 4);
  assert.equal(answers["423 OTP_TOO_MANY"], 1);
  assert.equal(answers["410 OTP_EXPIRED"], 35);
  assert.equal((await eve.verify(codes.at(-1).code)).status, 410, "the right one comes too late");
});

attack("a stranger spoils the owner's code", async ({ device, codes }) => {
  const owner = await device().in("otp@example.com");
  const eve = device();
  for (let times = 0; times < 10; times += 1) {
    assert.equal((await eve.verify(codes[0].code)).code, "OTP_EXPIRED", "even with the right one");
    assert.equal((await eve.resend()).code, "OTP_EXPIRED");
  }
  assert.equal((await owner.verify(codes[0].code)).status, 200);
  assert.equal((await owner.verify(codes[0].code)).code, "OTP_EXPIRED", "it works once");
  assert.equal(codes.length, 1);
});

attack("a mailbox is flooded", async ({ device, codes }) => {
  const eve = device();
  for (let times = 0; times < 5; times += 1) {
    await eve.login("otp@example.com");
    await eve.resend();
    await device().login("otp@example.com");
  }
  assert.equal(codes.length, 1);
  later(30_000);
  assert.equal((await eve.resend()).status, 204);
  assert.equal(codes.length, 2);
});

attack("an old code", async ({ device, codes }) => {
  const owner = await device().in("otp@example.com");
  later(5 * MINUTE);
  assert.equal((await owner.verify(codes[0].code)).code, "OTP_EXPIRED");
});

// ---- passwords ------------------------------------------------------------------------------

attack(
  "many passwords at once are no more tries, and nobody's account is like any other",
  async ({ device }) => {
    const told = [];
    for (const email of ["demo@example.com", "nobody@example.com"]) {
      const before = hashes.length;
      const spelt = (n) => (n % 2 ? email : email.toUpperCase());
      const answers = await together(20, (n) => device().login(spelt(n), `wrong ${n}`));
      answers.push(await device().login(email));
      const work = hashes.length - before;
      told.push({ work, answers: answers.map(({ status, text }) => ({ status, text })) });
      assert.deepEqual(counted(answers), {
        "401 INVALID_CREDENTIALS": 10,
        "423 ACCOUNT_LOCKED": 11,
      });
      assert.ok(waitOf(answers.at(-1)) > 0);
    }
    assert.deepEqual(told[0], told[1]);
    const codes = [];
    for (const email of ["demo@example.com", "otp@example.com", "nobody@example.com"])
      codes.push(
        (await device().verify("000000", email)).text,
        (await device().resend(email)).text,
      );
    assert.equal(new Set(codes).size, 1, "nor do codes tell who has an account");
  },
);

attack("a stranger locks the owner out", async ({ device }) => {
  const owner = await device().in();
  await together(15, () => device().login("demo@example.com", "wrong"));
  assert.equal((await device().login()).code, "ACCOUNT_LOCKED");
  assert.equal((await owner.login()).status, 200, "who was signed in before is no stranger");
  later(30_000);
  assert.equal((await device().login()).status, 200, "and the others only wait");
});

attack("more sign-ins than there is memory for their hashes", async ({ device }) => {
  let goOn;
  hashing = new Promise((resolve) => {
    goOn = resolve;
  });
  const before = hashes.length;
  let refused = 0;
  noticed = () => {
    if (hashes.length - before > 16) goOn();
  };
  const answers = await together(40, async (n) => {
    const answer = await device().login(`somebody-${n}@example.com`, "wrong");
    if (answer.status === 503) refused += 1;
    if (refused === 24) goOn();
    return answer;
  });
  assert.deepEqual(counted(answers), { "401 INVALID_CREDENTIALS": 16, "503 BUSY": 24 });
  assert.equal(hashes.length - before, 16);
  await device().in();
});

attack("a password is guessed from its hash", async () => {
  // https://cheatsheetseries.owasp.org: Password Storage, the least of its settings for scrypt.
  assert.ok(hashes.length > 0 && hashes.every(({ N, r, p }) => N * r * p >= 2 ** 14 * 8 * 5));
});

// ---- refresh tokens -------------------------------------------------------------------------

attack("a spent token is used again, sooner or later", async ({ device }) => {
  for (const age of [MINUTE, 29 * DAY, 31 * DAY, 59 * DAY]) {
    const owner = await device().in();
    const eve = owner.copy();
    assert.equal((await owner.refresh()).status, 200);
    later(age - 2 * DAY > 0 ? 2 * DAY : 0);
    const isUsed = (await owner.refresh()).status === 200;
    assert.ok(isUsed);
    later(age);
    assert.equal((await eve.refresh()).code, "REFRESH_REUSED", `after ${age / DAY} days`);
    assert.equal((await owner.refresh()).code, "REFRESH_REUSED", "the whole family ends");
    assert.equal((await owner.me()).status, 401, "and its access token");
  }
});

attack(
  "a spent token is older than any token lives, in a session that is alive",
  async ({ device }) => {
    const owner = await device().in();
    const eve = owner.copy();
    for (let months = 0; months < 24; months += 1) {
      assert.equal((await owner.refresh()).status, 200);
      later(29 * DAY);
    }
    assert.equal((await eve.refresh()).code, "REFRESH_REUSED");
    assert.equal((await owner.refresh()).code, "REFRESH_REUSED");
  },
);

attack("the grace window", async ({ device }) => {
  const owner = await device().in();
  const lost = owner.copy();
  const successors = await together(16, () => lost.copy().refresh());
  assert.equal(new Set(successors.map(({ cookie }) => cookie)).size, 1, "one, however many ask");
  later(59_000);
  const again = owner.copy();
  assert.equal((await again.refresh()).cookie.split(";")[0], successors[0].cookie.split(";")[0]);
  const strange = lost.copy({ fingerprint: device().fingerprint });
  assert.equal((await strange.refresh()).code, "DEVICE_MISMATCH");
  assert.equal((await again.refresh()).status, 200, "which changes nothing");
  assert.equal((await lost.refresh()).code, "REFRESH_REUSED", "its successor was used");

  const other = await device().in();
  const late = other.copy();
  await other.refresh();
  later(MINUTE);
  assert.equal((await late.refresh()).code, "REFRESH_REUSED", "the window is shut");
});

attack("tokens are made up, altered, or of another kind", async ({ device }) => {
  const [owner, other] = [await device().in(), await device().in()];
  const [id, n, seal] = owner.refreshToken.split(".");
  const flipped = seal.replace(/./, (first) => (first === "A" ? "B" : "A"));
  for (const refreshToken of [
    `${id}.${n}.${flipped}`,
    `${id}.1.${seal}`,
    `${id}.0${n}.${seal}`,
    `${id}.${n}.${seal}.`,
    `${id}.${n}`,
    `${id}.NaN.${seal}`,
    `${other.refreshToken.split(".")[0]}.${n}.${seal}`,
    `__proto__.${n}.${seal}`,
    owner.accessToken,
    "é".repeat(43),
    "x",
  ]) {
    const cookie = encodeURI(refreshToken);
    assert.equal(
      (await owner.copy({ refreshToken: cookie }).refresh()).code,
      "TOKEN_INVALID",
      cookie,
    );
  }
  for (const accessToken of [owner.refreshToken, `${id}.${Date.now() + DAY}.${seal}`, "a.b.c", "."])
    assert.equal((await owner.copy({ accessToken }).me()).code, "ACCESS_INVALID", accessToken);
  assert.equal((await owner.copy({ refreshToken: undefined }).refresh()).code, "TOKEN_MISSING");
  assert.equal((await owner.refresh()).status, 200);
  later(15 * MINUTE);
  assert.equal((await owner.me()).code, "ACCESS_INVALID", "too old");
});

attack("a session that is over, or somebody else's", async ({ device }) => {
  const [owner, other] = [await device().in(), await device().in()];
  const eve = device();
  await eve.register("eve@example.com", "eves-password");
  const list = (await owner.send("GET", "/sessions")).body;
  for (const { id } of list)
    assert.equal((await eve.send("DELETE", `/sessions/${id}`)).code, "NOT_FOUND");
  assert.equal((await eve.send("POST", "/logout-all")).status, 204);
  assert.equal((await other.refresh()).status, 200);

  const stolen = owner.copy();
  assert.equal((await owner.send("POST", "/logout")).status, 204);
  assert.equal((await stolen.refresh()).code, "SESSION_ENDED");
  assert.equal((await owner.me()).status, 401);
  const third = await device().in();
  const ours = (await third.send("GET", "/sessions")).body.find(({ current }) => !current);
  assert.equal((await third.send("DELETE", `/sessions/${ours.id}`)).status, 204);
  assert.equal((await other.refresh()).code, "SESSION_REVOKED");
  assert.equal((await other.me()).status, 401);
  later(30 * DAY);
  assert.equal((await third.refresh()).code, "TOKEN_EXPIRED");
});

// ---- growth ---------------------------------------------------------------------------------

const from = (n) => ({ headers: { "x-forwarded-for": `203.0.113.${n % 250}` } });

attack(
  "memory is filled by strangers",
  async ({ device, kept }) => {
    const sizes = () =>
      ["accounts", "sessions", "challenges", "strangers", "callers"].map((name) => kept[name].size);
    const before = sizes();
    for (let round = 0; round < 8; round += 1)
      await together(10, async (n) => {
        const email = `${round}-${n}@example.com`;
        await device(from(n)).login(email, "wrong");
        await device(from(n)).verify("000000", email);
        await device(from(n)).refresh();
      });
    assert.equal(kept.strangers.size, 80, "the control: something was kept");
    later(2 * DAY);
    await device(from(1)).login("one-more@example.com", "wrong");
    assert.deepEqual(sizes(), [before[0], 0, 0, 1, 1]);
  },
  PRODUCTION,
);

attack(
  "memory is filled by somebody who is signed in",
  async ({ device, kept }) => {
    const devices = [];
    for (let n = 0; n < 25; n += 1) devices.push(await device(from(n)).in());
    assert.equal(kept.sessions.size, 20);
    assert.equal(kept.accounts.get("demo@example.com").sessions.length, 20);
    assert.equal((await devices[0].refresh()).code, "TOKEN_INVALID", "the oldest has gone");
    const last = devices.at(-1);
    for (let n = 0; n < 30; n += 1) assert.equal((await last.refresh()).status, 200);
    for (let n = 0; n < 10; n += 1) {
      const other = await device(from(n)).in();
      assert.equal((await other.send("POST", "/logout")).status, 204);
    }
    assert.equal(kept.sessions.size, 20, "neither refreshes nor sign-outs leave anything");
    assert.equal((await device(from(1)).login("otp@example.com")).status, 200);
    assert.equal(kept.challenges.size, 1);
    later(61 * DAY);
    await device().in();
    assert.equal(kept.sessions.size, 1, "what is over goes");
  },
  PRODUCTION,
);

attack("a map is filled faster than it forgets", async ({ kept }) => {
  const map = new kept.ExpiringMap(MINUTE, 100);
  for (let n = 0; n < 1000; n += 1) map.set(n, n);
  assert.equal(map.size, 100);
  assert.deepEqual([map.get(899), map.get(900), map.get(999)], [undefined, 900, 999]);
  map.set(900, "again");
  map.set("one more", 1);
  assert.deepEqual([map.get(900), map.get(901)], ["again", undefined], "the newly set comes last");
  later(MINUTE);
  assert.equal(map.get(900), undefined);
  map.set("first of the next", 1);
  assert.equal(map.size, 1);
});

// ---- requests -------------------------------------------------------------------------------

attack("one address asks without end, under any name", async ({ device }) => {
  const asked = (path, n) =>
    device({ headers: { "x-forwarded-for": `203.0.113.${n}` } }).post(
      n % 2 ? path : path.toUpperCase(),
      {
        ...{ email: `${n}@example.com`, name: "x", password: "xxxxxxxx", code: "000000" },
      },
    );
  for (const path of ["/login", "/register", "/verify-otp", "/resend-otp", "/refresh-token"]) {
    let answer = {};
    for (let n = 0; n <= 120 && answer.status !== 429; n += 1) answer = await asked(path, n);
    assert.equal(answer.code, "TOO_MANY_REQUESTS", path);
    assert.ok(waitOf(answer) > 0 && waitOf(answer) <= MINUTE);
  }
  later(MINUTE);
  assert.equal((await asked("/login", 1)).status, 200, "after a minute");
});

attack(
  "one customer has many addresses",
  async ({ device }) => {
    const at = (address) =>
      device({ headers: { "x-forwarded-for": address } }).resend("x@example.com");
    for (let n = 0; n < 20; n += 1) assert.equal((await at(`2001:db8:1:2::${n}`)).status, 410);
    assert.equal((await at("2001:db8:1:2:3:4:5:6")).status, 429, "a /64 is one");
    for (const other of ["2001:db8:1:3::1", "2001:db8::1", "203.0.113.1", "::1"])
      assert.equal((await at(other)).status, 410, other);
    assert.equal(
      (await at("203.0.113.9, 2001:db8:1:2::1")).status,
      429,
      "only the proxy is believed",
    );
  },
  PRODUCTION,
);

attack("bodies of every kind", async ({ device, kept }) => {
  const eve = device();
  const secret = "hunter2-hunter2";
  for (const [body, status] of [
    [`{"password": "${secret}" oops`, 400],
    [`"${secret}"`, 400],
    ["[]", 422],
    ["null", 400],
    [JSON.stringify({ password: "x".repeat(2 ** 20) }), 413],
    [`{"email":${"[".repeat(5000)}${"]".repeat(5000)}}`, 422],
    [JSON.stringify({ email: "demo@example.com", password: { $ne: null } }), 422],
    [JSON.stringify({ email: "demo@example.com", password: "x".repeat(201) }), 422],
    [JSON.stringify({ email: `${"x".repeat(300)}@example.com`, password: PASSWORD }), 422],
    ["", 422],
  ]) {
    const answer = await eve.send("POST", "/login", body);
    assert.equal(answer.status, status, body.slice(0, 60));
    assert.equal(typeof answer.code, "string");
    assert.ok(!answer.text.includes("hunter"), "no answer quotes what was sent");
  }
  for (const fingerprint of [
    undefined,
    null,
    "x",
    [],
    { fingerprint: {} },
    { fingerprint: "x".repeat(9000) },
  ])
    assert.equal((await device({ fingerprint }).login()).status, 422);
  const fingerprint = { ...eve.fingerprint, more: "x".repeat(9000) };
  const owner = await device({ fingerprint }).in();
  const [{ device: told }] = (await owner.send("GET", "/sessions")).body;
  assert.deepEqual(told, eve.fingerprint, "what nobody asked for is not kept");
  for (const path of ["/sessions/%", "/sessions/..%2f", "/nowhere", "/login/%00"])
    assert.ok((await owner.send("DELETE", path)).status < 500, path);
  assert.equal(
    (await eve.send("POST", "/login", "email=a@b", "application/x-www-form-urlencoded")).status,
    422,
  );
  assert.equal(kept.sessions.size, 1);
});

attack(
  "answers are read where they should not be",
  async ({ device }) => {
    const owner = device();
    const [login, refresh, wrong] = [
      await owner.login(),
      await owner.refresh(),
      await device().login("a@b", "c"),
    ];
    for (const answer of [login, refresh, wrong, await owner.me()]) {
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
      assert.equal(answer.headers.get("x-powered-by"), null);
    }
    for (const { cookie } of [login, refresh])
      for (const flag of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=2592000"])
        assert.ok(cookie.split("; ").includes(flag), `${flag} in ${cookie}`);
    assert.ok(!refresh.text.includes(owner.refreshToken));
  },
  PRODUCTION,
);
