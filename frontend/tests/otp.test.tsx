import { screen, waitFor } from "@testing-library/react";
import type { CodeMethod, SessionState } from "vestibule";
import { describe, expect, it, vi } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { offered, otpPending, refused, signedIn, signedOut, unreachable } from "./support/states";
import { pass } from "./support/time";

/** What the command is called with. */
const given = (challenge: string, code: string, method: CodeMethod = "otp") => ({
  input: { challenge, code, method, trustDevice: false },
});

const challengeOf = (state: SessionState) =>
  state.status === "otp_pending" ? state.challenge : null;

const field = () => screen.getByRole("textbox", { name: "Six-digit code" });

describe("the code page", () => {
  it("says where the code went, takes it digit by digit, and submits by itself", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      shell.changeNow(signedIn(), "verify_otp");
      return { outcome: "signed_in" };
    });
    shell.backend({});
    const { user, visit } = await openApp("/auth/otp/?next=/account/");
    expect(field()).toHaveFocus();
    expect(field()).toHaveAccessibleDescription(/ada@example.com/);
    await user.keyboard("12345");
    expect(shell.called("verify_otp")).toHaveLength(0);
    await user.keyboard("6");
    await waitFor(() => expect(visit.current).toBe("/account/"));
    expect(shell.called("verify_otp").map(({ args }) => args)).toEqual([given("c1", "123456")]);
  });

  it("takes a pasted code with a space in it", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    const { user } = await openApp("/auth/otp/");
    await user.click(field());
    await user.paste("654 321");
    await waitFor(() =>
      expect(shell.called("verify_otp").map(({ args }) => args)).toEqual([given("c1", "654321")]),
    );
  });

  it.each([
    ["１２３４５６", "123456"],
    ["١٢٣ ٤٥٦", "123456"],
    ["𝟏𝟐𝟑-𝟜𝟝𝟞", "123456"],
  ])("takes %s for its digits", async (pasted, code) => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    const { user } = await openApp("/auth/otp/");
    await user.click(field());
    await user.paste(pasted);
    await waitFor(() =>
      expect(shell.called("verify_otp").map(({ args }) => args)).toEqual([given("c1", code)]),
    );
  });

  it("cuts no code that is too long, and says what a code has", async () => {
    const shell = startShell(otpPending());
    const { user } = await openApp("/auth/otp/");
    await user.click(field());
    await user.paste("12345678");
    expect(await screen.findByText("The code has six digits.")).toBeVisible();
    expect(field()).toHaveValue("");
    await user.keyboard("12a");
    expect(screen.getByText("The code has six digits.")).toBeVisible();
    expect(shell.called("verify_otp")).toHaveLength(0);
  });

  it("takes codes of the length and the letters that the server has", async () => {
    const shell = startShell(
      otpPending(0, [offered("otp", { form: { length: 9, letters: true } })]),
    );
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    const { user } = await openApp("/auth/otp/");
    const code = screen.getByRole("textbox", { name: "Code of 9 characters" });
    await user.click(code);
    await user.keyboard("k3F9-ab");
    await user.keyboard("{Enter}");
    expect(await screen.findByText("The code has 9 characters.")).toBeVisible();
    expect(shell.called("verify_otp"), "it is not complete").toHaveLength(0);
    await user.keyboard("2c");
    await waitFor(() =>
      expect(shell.called("verify_otp").map(({ args }) => args)).toEqual([
        given("c1", "k3F9-ab2c"),
      ]),
    );
  });

  it("takes a challenge after a challenge as the next one", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      const next = otpPending();
      if (next.status === "otp_pending") next.challenge = { ...next.challenge, id: "c2" };
      shell.changeNow(next, "challenge");
      return { outcome: "otp_required" };
    });
    const { user } = await openApp("/auth/otp/");
    await user.keyboard("111111");
    await waitFor(() => expect(field()).toHaveValue(""));
    expect(screen.getByRole("button", { name: "Continue" })).toBeEnabled();
    await user.keyboard("222222");
    await waitFor(() =>
      expect(shell.called("verify_otp").map(({ args }) => args)).toEqual([
        given("c1", "111111"),
        given("c2", "222222"),
      ]),
    );
  });

  it("keeps the challenge after a wrong code, clears the field and says so", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      throw refused("otp_invalid", "That code is not right.");
    });
    const { user, visit } = await openApp("/auth/otp/");
    await user.keyboard("111111");
    expect(await screen.findByRole("alert")).toHaveTextContent("That code is not right.");
    expect(field()).toHaveValue("");
    expect(field()).toHaveFocus();
    expect(visit.visited, "still here").toEqual([]);
    await user.keyboard("222222");
    await waitFor(() => expect(shell.called("verify_otp")).toHaveLength(2));
  });

  it("keeps the code when the server could not be reached, for another try", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      throw unreachable;
    });
    const { user } = await openApp("/auth/otp/");
    await user.keyboard("123456");
    expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
    expect(field()).toHaveValue("123456");
    await user.click(screen.getByRole("button", { name: "Continue" }));
    await waitFor(() => expect(shell.called("verify_otp")).toHaveLength(2));
  });

  it("goes back to the sign-in page with the reason when the challenge is over", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      shell.changeNow(signedOut(), "challenge");
      throw refused("challenge_over", "Too many wrong codes.");
    });
    const { user, visit } = await openApp("/auth/otp/?next=/account/");
    await user.keyboard("111111");
    expect(await screen.findByText("Too many wrong codes.")).toBeVisible();
    expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F");
    await waitFor(() => expect(screen.getByLabelText("E-mail")).toHaveValue("ada@example.com"));
  });

  it("gives the challenge up itself if the shell has not", async () => {
    const shell = startShell(otpPending());
    shell.on("verify_otp", () => {
      throw refused("challenge_over", "The code has expired.");
    });
    const { user } = await openApp("/auth/otp/");
    await user.keyboard("111111");
    expect(await screen.findByText(/The code has expired/)).toBeVisible();
    expect(shell.called("cancel_otp")).toHaveLength(1);
  });

  it("sends a new code once the wait is over", async () => {
    vi.useFakeTimers();
    const shell = startShell(otpPending(3000));
    shell.on("send_otp", () => {
      shell.changeNow(otpPending(30_000), "challenge");
      return challengeOf(otpPending(30_000));
    });
    const { user } = await openApp("/auth/otp/", { fakeTimers: true });
    expect(screen.getByRole("button", { name: "Send again in 3 s" })).toBeDisabled();
    await pass(3000);
    await user.click(screen.getByRole("button", { name: "Send a new code" }));
    await pass(0);
    expect(shell.called("send_otp")).toHaveLength(1);
    expect(screen.getByText(/A new code is on its way/)).toBeVisible();
    expect(screen.getByLabelText("Six-digit code"), "where it is typed").toHaveFocus();
    expect(screen.getByRole("button", { name: "Send again in 30 s" })).toBeDisabled();
  });

  it("obeys a rate limit on sending", async () => {
    const shell = startShell(otpPending());
    shell.on("send_otp", () => {
      throw refused("rate_limited", "The server asks to wait.", 60_000);
    });
    const { user } = await openApp("/auth/otp/");
    await user.click(screen.getByRole("button", { name: "Send a new code" }));
    expect(await screen.findByText(/The server asks to wait/)).toBeVisible();
    expect(screen.getByRole("button", { name: /Send again in/ })).toBeDisabled();
  });

  it("cancels back to the sign-in page", async () => {
    const shell = startShell(otpPending());
    const { user, visit } = await openApp("/auth/otp/");
    await user.click(screen.getByRole("button", { name: "Cancel and use another account" }));
    expect(await screen.findByRole("heading", { name: "Sign in" })).toBeVisible();
    expect(shell.called("cancel_otp")).toHaveLength(1);
    expect(visit.current).toBe("/auth/login/");
  });

  it("is not there for someone who was asked for no code", async () => {
    startShell(signedOut());
    const { visit } = await openApp("/auth/otp/");
    expect(visit.visited).toEqual(["/auth/login/"]);
  });

  it("cannot be walked around: the sign-in page leads back to it", async () => {
    startShell(otpPending());
    const { visit } = await openApp("/auth/login/");
    expect(visit.visited).toEqual(["/auth/otp/"]);
  });
});
