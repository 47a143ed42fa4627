import { createVestibule } from "vestibule";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startShell } from "./support/shell";
import {
  browserPending,
  offered,
  otpPending,
  refused,
  signedIn,
  signedOut,
} from "./support/states";

const { auth, messages } = createVestibule();

describe("the auth facade", () => {
  it("turns each call into its command, with the payload put in order in one place", async () => {
    const shell = startShell(signedOut());
    for (const command of ["login", "register", "verify_otp"]) {
      shell.on(command, () => ({ outcome: "signed_in" }));
    }
    shell.on("send_otp", () => null);

    expect(await auth.login({ email: "  Ada@Example.com ", password: "  spaces stay " })).toEqual({
      data: { outcome: "signed_in" },
      error: null,
    });
    await auth.register({
      name: "  Ada  ",
      email: " a@b.c ",
      password: "p",
      more: { newsletter: true },
    });
    await auth.verifyOtp({ challenge: "c", code: " 123-456 " });
    await auth.sendOtp();
    await auth.cancelOtp();
    await auth.refresh();
    expect(await auth.logout()).toEqual({ data: { success: true }, error: null });

    expect(shell.calls).toEqual([
      {
        command: "login",
        args: { input: { email: "Ada@Example.com", password: "  spaces stay " } },
      },
      {
        command: "register",
        args: { input: { name: "Ada", email: "a@b.c", password: "p", more: { newsletter: true } } },
      },
      { command: "verify_otp", args: { input: { challenge: "c", code: "123456" } } },
      { command: "send_otp", args: {} },
      { command: "cancel_otp", args: {} },
      { command: "refresh", args: {} },
      { command: "logout", args: {} },
    ]);
  });

  it("reads a code as its method has them, and answers the challenge that is open", async () => {
    const methods = [offered("totp"), offered("recovery", { canTrustDevice: true })];
    const shell = startShell(otpPending(0, methods));
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    await auth.start();
    await auth.verifyOtp({ code: "１２３-456" });
    await auth.verifyOtp({ code: " k3F9 - ab2c ", method: "recovery", trustDevice: true });
    expect(shell.called("verify_otp").map(({ args }) => args.input)).toEqual([
      { challenge: "c1", code: "123456" },
      { challenge: "c1", code: "k3F9-ab2c", method: "recovery", trustDevice: true },
    ]);
  });

  it("begins a sign-in by the browser by its button, and takes no member that it does not know", async () => {
    const shell = startShell(signedOut());
    shell.on("sign_in_by_browser", () => ({ outcome: "otp_required" }));
    expect(await auth.signInByBrowser()).toEqual({
      data: { outcome: "otp_required" },
      error: null,
    });
    await auth.signInByBrowser({ button: "google" });
    await auth.signInByBrowser({ device: true, type: "click" } as { device: boolean });
    expect(shell.called("sign_in_by_browser").map(({ args }) => args)).toEqual([
      { input: {} },
      { input: { button: "google" } },
      { input: { device: true } },
    ]);
  });

  it("opens the browser again, has its address copied, and gives the sign-in up", async () => {
    const shell = startShell(browserPending());
    for (const verb of ["openBrowserAgain", "copyBrowserAddress", "cancelBrowserSignIn"] as const) {
      expect(await auth[verb](), verb).toEqual({ data: null, error: null });
    }
    expect(shell.calls).toEqual([
      { command: "open_browser_again", args: {} },
      { command: "copy_browser_address", args: {} },
      { command: "cancel_browser_sign_in", args: {} },
    ]);
  });

  it("answers a sign-in by the browser when it has ended, in the words of the core", async () => {
    const shell = startShell(signedOut());
    const failure = refused("other", "You cancelled the sign-in in the browser.");
    let end = (_failure: unknown) => {};
    shell.on("sign_in_by_browser", () => new Promise((_, reject) => (end = reject)));
    const page = createVestibule().auth;
    await page.start();
    const ended = page.signInByBrowser();
    shell.changeNow(browserPending(), "browser");
    expect(page.state().status).toBe("browser_pending");
    end(failure);
    expect(await ended).toEqual({ data: null, error: failure });
  });

  it("passes a caller's own fingerprint on, for the shell to merge", async () => {
    const shell = startShell(signedOut());
    shell.on("login", () => ({ outcome: "signed_in" }));
    await auth.login({ email: "a@b.c", password: "p", fingerprint: { locale: "de" } });
    expect(shell.called("login")[0]?.args.input).toMatchObject({ fingerprint: { locale: "de" } });
  });

  it("keeps the code, the status, the message and the wait of a failure", async () => {
    const shell = startShell(signedOut());
    const failure = { ...messages.failures.rateLimited, message: "in words", retryAfterMs: 1500 };
    shell.on("login", () => {
      throw failure;
    });
    const result = await auth.login({ email: "a@b.c", password: "p" });
    expect(result).toEqual({ data: null, error: failure });
  });

  it.each([
    ["a refusal by Tauri", "login not allowed on window main"],
    ["an error of another shape", { code: "__proto__", message: "x", retryAfterMs: null }],
    ["nothing at all", undefined],
  ])("calls %s an internal failure, and does not throw", async (_name, thrown) => {
    const shell = startShell(signedOut());
    shell.on("login", () => {
      throw thrown;
    });
    const { data, error } = await auth.login({ email: "a@b.c", password: "secret" });
    expect(data).toBeNull();
    expect(error).toMatchObject({ code: "internal", status: 500, retryAfterMs: null });
    expect(JSON.stringify(error), "no failure may repeat what was typed").not.toContain("secret");
  });
});

describe("a change that a verb has made", () => {
  afterEach(() => void vi.useRealTimers());

  /** An instance whose password sign-ins succeed, its shell, and the number of reads of the state. */
  async function started() {
    vi.useFakeTimers();
    const shell = startShell(signedOut());
    const page = createVestibule();
    await page.auth.start();
    shell.on("login", () => {
      shell.changeNow(signedIn(), "login");
      return { outcome: "signed_in" };
    });
    return { shell, page, reads: () => shell.called("session").length };
  }

  it("is not read again where it has come", async () => {
    const { page, reads } = await started();
    await page.auth.login({ email: "ada@example.com", password: "p" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(page.auth.state().status).toBe("signed_in");
    expect(reads()).toBe(1);
  });

  it.each(["the only one", "the second of two"])("is read where it got lost: %s", async (when) => {
    const { shell, page, reads } = await started();
    shell.on("sign_in_by_browser", () => {
      if (when === "the second of two") shell.changeNow(browserPending(), "browser");
      shell.channels.splice(0);
      shell.changeNow(signedIn(), "browser");
      return { outcome: "signed_in" };
    });
    await page.auth.signInByBrowser();
    expect(page.auth.state().status).not.toBe("signed_in");
    await vi.advanceTimersByTimeAsync(1000);
    expect(page.auth.state().status).toBe("signed_in");
    // Once to see that it got lost, and once to open another channel: the old one holds back what follows.
    expect(reads()).toBe(3);
    shell.changeNow(signedOut("revoked"), "rejected");
    expect(page.auth.state().status).toBe("signed_out");
  });

  it("is read where a step of a sign-in has ended without success", async () => {
    const { shell, page } = await started();
    shell.on("sign_in_by_browser", () => {
      shell.changeNow(browserPending(), "browser");
      shell.channels.splice(0);
      shell.changeNow(signedOut("by_user"), "browser");
      throw refused("other", "No.");
    });
    await page.auth.signInByBrowser();
    expect(page.auth.state().status).toBe("browser_pending");
    await vi.advanceTimersByTimeAsync(1000);
    expect(page.auth.state().status).toBe("signed_out");
  });

  it("is not waited for where the verb has failed", async () => {
    const { shell, page, reads } = await started();
    shell.on("login", () => {
      throw refused("invalid_credentials", "No.");
    });
    await page.auth.login({ email: "ada@example.com", password: "p" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(reads()).toBe(1);
  });
});
