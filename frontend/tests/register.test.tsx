import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { refused, signedIn, signedOut } from "./support/states";

async function fill(
  user: Awaited<ReturnType<typeof openApp>>["user"],
  password = "correct horse battery",
) {
  await user.type(screen.getByLabelText("Name"), " Ada Lovelace ");
  await user.type(screen.getByLabelText("E-mail"), "ada@example.com");
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: "Create account" }));
}

describe("the registration page", () => {
  it("makes an account and leads on", async () => {
    const shell = startShell(signedOut());
    shell.on("register", () => {
      shell.changeNow(signedIn(), "register");
      return { outcome: "signed_in" };
    });
    shell.backend({});
    const { user, visit } = await openApp("/auth/register/?next=/account/");
    await fill(user);
    await waitFor(() => expect(visit.current).toBe("/account/"));
    expect(shell.called("register")[0]?.args.input).toEqual({
      name: "Ada Lovelace",
      email: "ada@example.com",
      password: "correct horse battery",
    });
  });

  it("sends to the sign-in page, with the e-mail filled in, when the account must be confirmed", async () => {
    const shell = startShell(signedOut());
    shell.on("register", () => ({ outcome: "accepted" }));
    const { user, visit } = await openApp("/auth/register/?next=/account/");
    await fill(user);
    expect(await screen.findByText(/accepted your registration/)).toBeVisible();
    expect(visit.current).toBe("/auth/login/?next=%2Faccount%2F");
    await waitFor(() => expect(screen.getByLabelText("Password")).toHaveFocus());
    expect(screen.getByLabelText("E-mail")).toHaveValue("ada@example.com");
  });

  it("says that an e-mail is taken and keeps everything", async () => {
    const shell = startShell(signedOut());
    shell.on("register", () => {
      throw refused("email_taken", "There is already an account with this address.");
    });
    const { user } = await openApp("/auth/register/");
    await fill(user);
    expect(await screen.findByRole("alert")).toHaveTextContent("already an account");
    expect(screen.getByLabelText("E-mail")).toHaveFocus();
    expect(screen.getByLabelText("Name")).toHaveValue(" Ada Lovelace ");
    expect(screen.getByLabelText("Password")).toHaveValue("correct horse battery");
  });

  it("shows the backend's own words about what it did not accept", async () => {
    const shell = startShell(signedOut());
    shell.on("register", () => {
      throw refused("other", "password: too easy to guess");
    });
    const { user } = await openApp("/auth/register/");
    await fill(user);
    expect(await screen.findByRole("alert")).toHaveTextContent("password: too easy to guess");
  });

  it("names the password's requirement before and after", async () => {
    const shell = startShell(signedOut());
    const { user } = await openApp("/auth/register/");
    expect(screen.getByLabelText("Password")).toHaveAccessibleDescription(/At least 8 characters/);
    await fill(user, "short");
    await waitFor(() =>
      expect(screen.getByLabelText("Password")).toHaveAccessibleDescription(
        /Use at least 8 characters/,
      ),
    );
    expect(shell.called("register")).toHaveLength(0);
  });
});
