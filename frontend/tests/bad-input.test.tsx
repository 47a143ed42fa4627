import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { signedOut } from "./support/states";

// What each form says of which input. Two spaces stand for a field in which somebody typed nothing else.

const LOGIN = { button: "Sign in", command: "login", at: "/auth/login/" };
const REGISTER = { button: "Create account", command: "register", at: "/auth/register/" };
const GOOD = { "E-mail": "ada@example.com", Password: "correct horse", Name: "Ada" };
const LONG = "Use a shorter name: at most 100 characters.";
const NO_ADDRESS = "Enter an e-mail address, such as name@example.com.";

type Form = typeof LOGIN;
type Label = keyof typeof GOOD;

async function submitWith(form: Form, label: Label, text: string) {
  const shell = startShell(signedOut());
  const { user } = await openApp(form.at);
  for (const [each, good] of Object.entries(GOOD)) {
    const field = screen.queryByLabelText(each);
    const typed = each === label ? text : good;
    if (field && typed !== "") {
      await user.click(field);
      await user.paste(typed);
    }
  }
  await user.click(screen.getByRole("button", { name: form.button }));
  return { shell, user, field: screen.getByLabelText(label) };
}

describe("a form says of a field", () => {
  it.each<[Form, Label, string, string]>([
    [LOGIN, "E-mail", "", "Enter your e-mail address."],
    [LOGIN, "E-mail", "  ", "Enter your e-mail address."],
    [LOGIN, "Password", "", "Enter your password."],
    [REGISTER, "Name", "", "Enter your name."],
    [REGISTER, "Name", "  ", "Enter your name."],
    [REGISTER, "Name", "a".repeat(101), LONG],
    [REGISTER, "E-mail", "", "Enter your e-mail address."],
    [REGISTER, "E-mail", "  ", "Enter your e-mail address."],
    [REGISTER, "E-mail", "ada", NO_ADDRESS],
    [REGISTER, "E-mail", "ada@", NO_ADDRESS],
    [REGISTER, "E-mail", "a b@example.com", NO_ADDRESS],
    [REGISTER, "Password", "", "Choose a password."],
    [REGISTER, "Password", "1234567", "Use at least 8 characters."],
    [REGISTER, "Password", "a".repeat(201), "Use at most 200 characters."],
  ])("%j: %s of %j: %s", async (form, label, text, sentence) => {
    const { shell, field } = await submitWith(form, label, text);
    await waitFor(() => expect(field).toBeInvalid());
    const description = field.getAttribute("aria-describedby")?.split(" ")[0] ?? "";
    expect(document.getElementById(description)).toHaveTextContent(sentence);
    expect(field, "typing can go on at once").toHaveFocus();
    expect(document.querySelectorAll("[aria-invalid]"), "and of no other field").toHaveLength(1);
    expect(shell.called(form.command)).toHaveLength(0);
  });

  it.each<[Form, Label, string]>([
    [LOGIN, "Password", " "],
    [REGISTER, "Name", "a".repeat(100)],
    [REGISTER, "E-mail", "jürgen@müller"],
    [REGISTER, "Password", "12345678"],
    [REGISTER, "Password", "a".repeat(200)],
  ])("%j: %s of %j: nothing", async (form, label, text) => {
    const { shell } = await submitWith(form, label, text);
    await waitFor(() => expect(shell.called(form.command)).toHaveLength(1));
  });

  it("nothing more once it is right, which it judges while the person types", async () => {
    const { shell, user, field } = await submitWith(REGISTER, "Password", "1234567");
    await waitFor(() => expect(field).toBeInvalid());
    await user.type(field, "8");
    await waitFor(() => expect(field).toBeValid());
    await user.type(field, "{Backspace}");
    await waitFor(() => expect(field).toBeInvalid());
    expect(shell.called("register")).toHaveLength(0);
  });

  it("nothing before the form is sent", async () => {
    startShell(signedOut());
    const { user } = await openApp(REGISTER.at);
    await user.type(screen.getByLabelText("E-mail"), "ada{Tab}1{Tab}");
    expect(document.querySelectorAll("[aria-invalid]")).toHaveLength(0);
  });

  it("of two fields both, with the focus in the first", async () => {
    startShell(signedOut());
    const { user } = await openApp(REGISTER.at);
    await user.click(screen.getByRole("button", { name: REGISTER.button }));
    await waitFor(() => expect(document.querySelectorAll("[aria-invalid]")).toHaveLength(3));
    expect(screen.getByLabelText("Name")).toHaveFocus();
  });

  it("no password in an attribute, which a copy of the document would hold", async () => {
    const { user, field } = await submitWith(REGISTER, "Password", "1234567");
    await user.type(field, "8");
    expect(field).toHaveValue("12345678");
    expect(document.body.outerHTML).not.toMatch(/1234567/);
  });
});
