import { createVestibule } from "vestibule";
import { createBetterAuthClient } from "vestibule/better-auth";
import { describe, expect, it, vi } from "vitest";
import { AUTH_BASE_URL, createAuthFetch } from "../src/better-auth/fetch";
import { startShell } from "./support/shell";
import {
  browserPending,
  otpPending,
  restoring,
  signedIn,
  signedOut,
  stale,
} from "./support/states";

/** A page that has started, with the fetch of its Better Auth client. */
async function startPage() {
  const vestibule = createVestibule();
  const authFetch = createAuthFetch(vestibule.auth);
  await vestibule.auth.start();
  const read = async () => {
    const response = await authFetch(`${AUTH_BASE_URL}/get-session`);
    return { status: response.status, body: await response.json() };
  };
  return { vestibule, auth: vestibule.auth, authFetch, read };
}

describe("/get-session", () => {
  it("is a pure read: a thousand of them call no command", async () => {
    const shell = startShell(signedIn());
    const { auth, read } = await startPage();
    const before = shell.calls.length;
    const answers = await Promise.all(Array.from({ length: 1000 }, read));
    await Promise.all(Array.from({ length: 1000 }, () => auth.getSession()));
    expect(shell.calls.length - before).toBe(0);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(Object.keys(body).sort()).toEqual(["session", "user"]);
      expect(Object.keys(body.session).sort()).toEqual(["expiresAt", "id", "userId"]);
    }
  });

  it("compares a state only once, however often it is read", async () => {
    const shell = startShell(signedIn());
    const { vestibule, auth } = await startPage();
    const first = await auth.getSession();
    shell.changeNow(signedIn());
    const stringify = vi.spyOn(JSON, "stringify");
    for (let nth = 0; nth < 100; nth += 1) expect(await auth.getSession()).toBe(first);
    expect(stringify.mock.calls.length).toBe(1);
    expect(vestibule.snapshots.read(auth.state())).toBe(first);
  });

  it.each([
    ["signed out", signedOut("expired"), null],
    ["a code is wanted", otpPending(), null],
    ["the sign-in goes on in the browser", browserPending(), null],
    ["offline", stale(), "ada@example.com"],
  ])("when %s", async (_name, state, email) => {
    startShell(state);
    const { read } = await startPage();
    const { status, body } = await read();
    expect(status, "never an error status").toBe(200);
    expect(body?.user.email ?? null).toBe(email);
  });

  it("waits while the session is being restored, and never says null meanwhile", async () => {
    const shell = startShell(restoring());
    const { read } = await startPage();
    const pending = read();
    shell.changeNow(restoring({ since: 1, retryInMs: 2, why: null }), "outage");
    shell.changeNow(signedIn());
    // A read answers once, so it would have said null if it had answered before.
    expect((await pending).body?.user.email).toBe("ada@example.com");
  });

  it("stops waiting when the read is aborted", async () => {
    startShell(restoring());
    const { authFetch } = await startPage();
    const abort = new AbortController();
    const pending = authFetch(`${AUTH_BASE_URL}/get-session`, { signal: abort.signal });
    abort.abort();
    await expect(pending).rejects.toMatchObject({ name: "AbortError" });
  });

  it("gives a plain object with the dates as text, through the client as well", async () => {
    startShell(signedIn());
    const { vestibule, auth } = await startPage();
    expect((await auth.getSession())?.session.expiresAt).toBe("2030-01-02T03:04:05.000Z");
    const { data, error } = await createBetterAuthClient(vestibule).getSession();
    expect(error).toBeNull();
    expect(data).toEqual(await auth.getSession());
  });
});
