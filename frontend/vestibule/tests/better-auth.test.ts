import { inspect } from "node:util";
import { createVestibule } from "vestibule";
import { createBetterAuthClient } from "vestibule/better-auth";
import { describe, expect, it, vi } from "vitest";
import { AUTH_BASE_URL, createAuthFetch } from "../src/better-auth/fetch";
import { startShell } from "./support/shell";
import { listedSession, offered, otpPending, refused, signedIn, signedOut } from "./support/states";

const newClient = () => createBetterAuthClient(createVestibule());

describe("Better Auth's own paths", () => {
  it("sign in and out with the same commands", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => ({ outcome: "signed_in" }));
    const client = newClient();
    await client.signIn.email({ email: " a@b.c ", password: "p" });
    await client.signOut();
    expect(shell.calls.map(({ command }) => command)).toEqual(["login", "logout"]);
    expect(shell.calls[0]?.args).toEqual({ input: { email: "a@b.c", password: "p" } });
    expect(localStorage, "no message to other tabs is left behind").toHaveLength(0);
  });

  it("answers what it does not know with a 404 in JSON, and calls nothing", async () => {
    const shell = startShell(signedOut());
    const authFetch = createAuthFetch(createVestibule().auth);
    for (const [method, path] of [
      ["POST", "/update-user"],
      ["GET", "/login"],
      ["GET", "/list-accounts"],
      ["POST", "/list-sessions"],
      ["POST", "/constructor"],
    ]) {
      const response = await authFetch(`${AUTH_BASE_URL}${path}`, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "not_found" });
    }
    expect(shell.calls).toHaveLength(0);
  });

  it("sign up with the command, and take no member that it does not know", async () => {
    const shell = startShell(signedOut());
    shell.on("register", () => ({ outcome: "accepted" }));
    const { data, error } = await newClient().signUp.email({
      name: " Ada ",
      email: " a@b.c ",
      password: "p",
      callbackURL: "/dashboard",
    });
    expect([data, error]).toEqual([{ outcome: "accepted" }, null]);
    expect(shell.calls[0]?.args).toEqual({ input: { name: "Ada", email: "a@b.c", password: "p" } });
  });

  it("list sessions and end them, by an id in the place of a token", async () => {
    const shell = startShell(signedIn());
    const phone = listedSession("s-2", { userAgent: "Phone", createdAt: 1_795_411_840_000 });
    shell.on("sessions", () => ({ sessions: [phone], leftOut: 0 }));
    const vestibule = createVestibule();
    await vestibule.auth.start();
    const client = createBetterAuthClient(vestibule);
    const { data } = await client.listSessions();
    expect(data).toMatchObject([
      { token: "s-2", userId: "u1", userAgent: "Phone", createdAt: "2026-11-23T05:30:40.000Z" },
    ]);
    shell.on("end_session", () => null);
    const ended = await client.revokeSession({ token: data?.[0]?.token ?? "" });
    expect(ended).toMatchObject({ data: { status: true }, error: null });
    expect(shell.called("end_session")[0]?.args).toEqual({ id: "s-2" });
    shell.on("end_other_sessions", () => Promise.reject(refused("unsupported", "Not here.")));
    const others = await client.revokeOtherSessions();
    expect(others.error).toMatchObject({ message: "Not here." });
  });

  it("report a failure as Better Auth does, to the caller and to its callbacks", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => Promise.reject(refused("invalid_credentials", "Not so.")));
    const onError = vi.fn();
    const { data, error } = await newClient().signIn.email(
      { email: "a@b.c", password: "p" },
      { onError },
    );
    const failure = { code: "invalid_credentials", status: 400, message: "Not so." };
    expect(data).toBeNull();
    expect(error).toMatchObject(failure);
    expect(onError.mock.calls[0]?.[0].error).toMatchObject(failure);
  });

  it("give a second factor by each of its methods, and have a code sent", async () => {
    const shell = startShell(otpPending(0, [offered("totp"), offered("otp"), offered("recovery")]));
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    shell.on("send_otp", () => null);
    const vestibule = createVestibule();
    await vestibule.auth.start();
    const { twoFactor } = createBetterAuthClient(vestibule);
    await twoFactor.verifyTotp({ code: "123 456", trustDevice: true });
    await twoFactor.sendOtp();
    await twoFactor.verifyOtp({ code: "654321" });
    const { data, error } = await twoFactor.verifyBackupCode({ code: "k3F9a-ab2cd" });
    expect([data, error]).toEqual([{ outcome: "signed_in" }, null]);
    expect(shell.calls.map(({ command }) => command).filter((it) => it !== "session")).toEqual([
      "verify_otp",
      "send_otp",
      "verify_otp",
      "verify_otp",
    ]);
    expect(shell.called("verify_otp").map(({ args }) => args.input)).toEqual([
      { challenge: "c1", code: "123456", method: "totp", trustDevice: true },
      { challenge: "c1", code: "654321", method: "otp", trustDevice: false },
      { challenge: "c1", code: "k3F9a-ab2cd", method: "recovery", trustDevice: false },
    ]);
  });

  it("say that a second factor is wanted, as Better Auth's server does", async () => {
    const shell = startShell(signedOut());
    const vestibule = createVestibule();
    await vestibule.auth.start();
    shell.on("login", () => {
      shell.changeNow(otpPending(0, [offered("totp"), offered("recovery")]), "challenge");
      return { outcome: "otp_required" };
    });
    const { data } = await createBetterAuthClient(vestibule).signIn.email({
      email: "a@b.c",
      password: "p",
    });
    expect(data).toMatchObject({ twoFactorRedirect: true, twoFactorMethods: ["totp"] });
  });

  it("sign in by the browser, with the provider for the button's name", async () => {
    const shell = startShell(signedOut());
    shell.on("sign_in_by_browser", () => ({ outcome: "signed_in" }));
    const client = newClient();
    const { data, error } = await client.signIn.social({ provider: "google" });
    expect([data, error]).toEqual([{ outcome: "signed_in" }, null]);
    expect(await client.signInByBrowser({ device: true })).toEqual({
      data: { outcome: "signed_in" },
      error: null,
    });
    await client.cancelBrowserSignIn();
    expect(shell.calls.map(({ args }) => args)).toEqual([
      { input: { button: "google" } },
      { input: { device: true } },
      {},
    ]);
  });

  it("say that a second factor is wanted after the browser too", async () => {
    const shell = startShell(signedOut());
    const vestibule = createVestibule();
    await vestibule.auth.start();
    shell.on("sign_in_by_browser", () => {
      shell.changeNow(otpPending(0, [offered("totp")]), "challenge");
      return { outcome: "otp_required" };
    });
    const { signIn } = createBetterAuthClient(vestibule);
    const { data } = await signIn.social({ provider: "google" });
    expect(data).toMatchObject({ twoFactorRedirect: true, twoFactorMethods: ["totp"] });
  });

  it("tell the caller of a sign-out that it has succeeded", async () => {
    startShell(signedIn());
    const onSuccess = vi.fn();
    await newClient().signOut({ fetchOptions: { onSuccess } });
    expect(onSuccess).toHaveBeenCalledOnce();
  });

  it("send nothing to a network", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => ({ outcome: "signed_in" }));
    const network = vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("a network"));
    const vestibule = createVestibule();
    await vestibule.auth.start();
    const client = createBetterAuthClient(vestibule);
    await client.signIn.email({ email: "a@b.c", password: "p" });
    await client.signOut();
    await client.getSession();
    const { error } = await client.updateUser({ name: "Ada" });
    expect(error).toMatchObject({ code: "not_found", status: 404 });
    expect(network).not.toHaveBeenCalled();
    expect(new URL(AUTH_BASE_URL).hostname, "a call past all this finds no server").toMatch(
      /\.invalid$/,
    );
  });
});

describe("the client's own verbs", () => {
  it("are those of `auth`, with the same results", async () => {
    const shell = startShell(signedOut());
    for (const command of ["login", "register", "verify_otp"]) {
      shell.on(command, () => ({ outcome: "signed_in" }));
    }
    shell.on("send_otp", () => null);
    shell.on("unlock_keyring", () => null);
    const client = newClient();
    const typed = { email: " a@b.c ", password: "p" };
    expect(await client.login(typed)).toEqual({ data: { outcome: "signed_in" }, error: null });
    await client.register({ ...typed, name: "Ada" });
    await client.verifyOtp({ challenge: "c", code: "123 456" });
    await client.sendOtp();
    await client.cancelOtp();
    await client.unlockKeyring();
    await client.refreshSession();
    await client.logout();
    expect(shell.calls.map(({ command }) => command)).toEqual([
      "login",
      "register",
      "verify_otp",
      "send_otp",
      "cancel_otp",
      "unlock_keyring",
      "refresh",
      "logout",
    ]);
    expect(shell.called("login")[0]?.args).toEqual({ input: { email: "a@b.c", password: "p" } });
    expect(shell.called("verify_otp")[0]?.args).toEqual({
      input: { challenge: "c", code: "123456" },
    });
  });

  it("make no JSON of a password", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => ({ outcome: "signed_in" }));
    const client = newClient();
    const stringify = vi.spyOn(JSON, "stringify");
    const parse = vi.spyOn(JSON, "parse");
    const held = (spy: { mock: { calls: unknown[][] } }) =>
      spy.mock.calls.some((given) => given.some((value) => inspect(value).includes("hunter2")));
    await client.login({ email: "a@b.c", password: "hunter2" });
    expect([held(stringify), held(parse)]).toEqual([false, false]);
    // The control: for Better Auth's own action its client makes JSON of the fields.
    await client.signIn.email({ email: "a@b.c", password: "hunter2" });
    expect([held(stringify), held(parse)]).toEqual([true, true]);
  });
});
