// The page for a second factor: the methods on offer, how a person changes between them, and what each
// takes.

import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { offered, otpPending, refused } from "./support/states";

const button = (name: string) => screen.getByRole("button", { name });
const field = (name: string) => screen.getByRole("textbox", { name });
const unsent = offered("otp", { sentTo: null });

/** A shell that accepts every code. */
function shellWith(...methods: ReturnType<typeof offered>[]) {
  const shell = startShell(otpPending(0, methods));
  shell.on("verify_otp", () => ({ outcome: "signed_in" }));
  return shell;
}

describe("the methods of a second factor", () => {
  it("offer what there is, the first one at first, and nothing else", async () => {
    shellWith(offered("totp"), offered("recovery"));
    await openApp("/auth/otp/");
    expect(field("Six-digit code")).toHaveFocus();
    expect(field("Six-digit code")).toHaveAccessibleDescription(
      "Take the six digits for ada@example.com from your authenticator app.",
    );
    expect(button("Use a recovery code")).toBeVisible();
    expect(screen.queryByRole("button", { name: /send/i }), "nothing is sent").toBeNull();
    expect(screen.queryByRole("button", { name: /authenticator/ }), "it is in use").toBeNull();
    expect(screen.queryByRole("checkbox")).toBeNull();
  });

  it("are changed by the keyboard, and the field of the other one has the focus", async () => {
    const shell = shellWith(offered("totp", { form: { length: 8, letters: false } }), unsent);
    shell.on("send_otp", () => {
      shell.changeNow(otpPending(30_000, [offered("totp"), offered("otp")]), "challenge");
      return null;
    });
    const { user } = await openApp("/auth/otp/");
    expect(field("8-digit code")).toHaveFocus();
    await user.keyboard("1234567");
    expect(shell.called("verify_otp"), "it has eight").toHaveLength(0);
    button("Send me a code").focus();
    await user.keyboard("{Enter}");
    expect(await screen.findByText(/We sent six digits to/)).toBeVisible();
    expect(shell.called("send_otp"), "one is sent").toHaveLength(1);
    expect(field("Six-digit code")).toHaveFocus();
    expect(field("Six-digit code")).toHaveValue("");
    expect(screen.getByText("A code is on its way.")).toBeVisible();
    expect(button("Send again in 30 s")).toBeDisabled();
    await user.keyboard("123456");
    await waitFor(() =>
      expect(shell.called("verify_otp")[0]?.args).toEqual({
        input: { challenge: "c1", code: "123456", method: "otp", trustDevice: false },
      }),
    );
  });

  it("send no second code to a person who comes back to one that was sent", async () => {
    const shell = shellWith(offered("otp"), offered("totp"));
    const { user } = await openApp("/auth/otp/");
    await user.click(button("Use your authenticator app"));
    expect(screen.queryByRole("button", { name: /send/i }), "not for an app").toBeNull();
    await user.click(button("Use the code that was sent"));
    expect(screen.getByText(/We sent six digits to/)).toBeVisible();
    expect(shell.called("send_otp")).toHaveLength(0);
  });

  it("say why a code could not be sent, and leave the other ways open", async () => {
    const shell = shellWith(offered("totp"), unsent);
    shell.on("send_otp", () => {
      throw refused("other", "No code was sent. The server says: “otp isn't configured”.");
    });
    const { user } = await openApp("/auth/otp/");
    await user.click(button("Send me a code"));
    expect(await screen.findByText(/otp isn't configured/)).toBeVisible();
    expect(screen.queryByText(/We sent/), "none was").toBeNull();
    await user.click(button("Use your authenticator app"));
    expect(field("Six-digit code")).toHaveFocus();
  });

  it("forget what was wrong with the code of another", async () => {
    const shell = shellWith(offered("totp"), offered("recovery"));
    shell.on("verify_otp", () => {
      throw refused("otp_invalid", "Your authenticator app shows a new one.");
    });
    const { user } = await openApp("/auth/otp/");
    await user.keyboard("111111");
    expect(await screen.findByRole("alert")).toHaveTextContent("authenticator app shows");
    await user.click(button("Use a recovery code"));
    expect(screen.queryByRole("alert")).toBeNull();
    expect(field("Recovery code")).toHaveFocus();
  });
});

describe("a recovery code", () => {
  it("is typed into an ordinary field, with its letters and signs, and sent when asked to", async () => {
    const shell = shellWith(offered("recovery"));
    const { user } = await openApp("/auth/otp/");
    expect(screen.getByRole("heading", { name: "Enter a recovery code" })).toBeVisible();
    await user.keyboard("k3F９a-ab2cd-");
    expect(shell.called("verify_otp"), "no length says that it is whole").toHaveLength(0);
    await user.keyboard("xyz{Enter}");
    await waitFor(() =>
      expect(shell.called("verify_otp")[0]?.args).toMatchObject({
        input: { code: "k3F9a-ab2cd-xyz", method: "recovery" },
      }),
    );
  });

  it("is not sent before its length, and not cut to it", async () => {
    const form = { length: 11, letters: true };
    const shell = shellWith(offered("recovery", { form }));
    const { user } = await openApp("/auth/otp/");
    for (const typed of ["k3F9a-ab2c", "k3F9a-ab2cde"]) {
      await user.clear(field("Recovery code"));
      await user.type(field("Recovery code"), `${typed}{Enter}`);
      expect(screen.getByText("The code has 11 characters.")).toBeVisible();
    }
    expect(shell.called("verify_otp")).toHaveLength(0);
    await user.type(field("Recovery code"), "{Backspace}{Enter}");
    await waitFor(() =>
      expect(shell.called("verify_otp")[0]?.args).toMatchObject({
        input: { code: "k3F9a-ab2cd" },
      }),
    );
  });

  it("is not an empty one", async () => {
    const shell = shellWith(offered("recovery"));
    const { user } = await openApp("/auth/otp/");
    await user.keyboard("{Enter}");
    expect(screen.getByText(/The code has letters, digits or signs/)).toBeVisible();
    expect(shell.called("verify_otp")).toHaveLength(0);
  });
});

describe("trust in a device", () => {
  it("is offered where the method can carry it, and goes along with the code", async () => {
    const trusting = offered("totp", { canTrustDevice: true });
    const shell = startShell(
      otpPending(0, [trusting, offered("recovery", { canTrustDevice: true })], { trustDays: 30 }),
    );
    shell.on("verify_otp", () => ({ outcome: "signed_in" }));
    const { user } = await openApp("/auth/otp/");
    const box = () => screen.getByRole("checkbox", { name: "Trust this device for 30 days" });
    expect(box()).not.toBeChecked();
    await user.click(box());
    await user.click(button("Use a recovery code"));
    expect(box(), "the choice stays").toBeChecked();
    await user.type(field("Recovery code"), "k3F9{Enter}");
    await waitFor(() =>
      expect(shell.called("verify_otp")[0]?.args).toMatchObject({ input: { trustDevice: true } }),
    );
  });

  it("is not offered by a method that cannot carry it", async () => {
    shellWith(offered("totp", { canTrustDevice: true }), offered("recovery"));
    const { user } = await openApp("/auth/otp/");
    expect(screen.getByRole("checkbox", { name: "Trust this device" })).toBeVisible();
    await user.click(button("Use a recovery code"));
    expect(screen.queryByRole("checkbox")).toBeNull();
  });
});
