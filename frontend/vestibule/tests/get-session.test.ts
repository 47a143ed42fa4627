import { describe, expect, it } from "vitest";
import { auth, client } from "@/lib/auth";
import { AUTH_BASE_URL, authFetch } from "@/lib/native";
import { startShell } from "./support/shell";
import { otpPending, restoring, signedIn, signedOut, stale } from "./support/states";

const read = async () => {
  const response = await authFetch(`${AUTH_BASE_URL}/get-session`);
  return { status: response.status, body: await response.json() };
};

describe("/get-session", () => {
  it("is a pure read: a thousand of them call no command", async () => {
    const shell = startShell(signedIn());
    await auth.start();
    const before = shell.calls.length;
    const answers = await Promise.all(Array.from({ length: 1000 }, read));
    expect(shell.calls.length - before).toBe(0);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(Object.keys(body).sort()).toEqual(["session", "user"]);
      expect(Object.keys(body.session).sort()).toEqual(["expiresAt", "id", "userId"]);
    }
  });

  it.each([
    ["signed out", signedOut("expired"), null],
    ["a code is wanted", otpPending(), null],
    ["offline", stale(), "ada@example.com"],
  ])("when %s", async (_name, state, email) => {
    startShell(state);
    await auth.start();
    const { status, body } = await read();
    expect(status, "never an error status").toBe(200);
    expect(body?.user.email ?? null).toBe(email);
  });

  it("waits while the session is being restored, and never says null meanwhile", async () => {
    const shell = startShell(restoring());
    await auth.start();
    let answered = false;
    const pending = read().then((answer) => {
      answered = true;
      return answer;
    });
    shell.changeNow(restoring({ since: 1, retryInMs: 2, why: null }), "outage");
    await new Promise((resolve) => setTimeout(resolve));
    expect(answered).toBe(false);
    shell.changeNow(signedIn());
    expect((await pending).body.user.email).toBe("ada@example.com");
  });

  it("stops waiting when the read is aborted", async () => {
    startShell(restoring());
    await auth.start();
    const abort = new AbortController();
    const pending = authFetch(`${AUTH_BASE_URL}/get-session`, { signal: abort.signal });
    abort.abort();
    await expect(pending).rejects.toMatchObject({ name: "AbortError" });
  });

  it("gives a plain object with the dates as text, through the client as well", async () => {
    startShell(signedIn());
    await auth.start();
    expect((await auth.getSession())?.session.expiresAt).toBe("2030-01-02T03:04:05.000Z");
    const { data, error } = await client.getSession();
    expect(error).toBeNull();
    expect(data).toEqual(await auth.getSession());
  });
});
