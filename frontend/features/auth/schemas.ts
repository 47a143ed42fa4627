import * as v from "valibot";
import type { Identifier } from "vestibule";

// What the forms check before they ask the backend, which decides. Messages say what to do.

const NO_EMAIL = "Enter your e-mail address.";

// What is before and after the sign is for the server to judge: its letters may be of any script.
const email = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, NO_EMAIL),
  v.regex(/^[^\s@]+@[^\s@]+$/, "Enter an e-mail address, such as name@example.com."),
);

export const PASSWORD_LEAST = 8;
export const PASSWORD_MOST = 200;

/** At a sign-in nothing but emptiness is the app's to judge: the server knows its accounts. */
export const loginSchema = (identifier: Identifier) =>
  v.object({
    email: v.pipe(
      v.string(),
      v.trim(),
      v.minLength(1, identifier === "email" ? NO_EMAIL : "Enter your user name."),
    ),
    password: v.pipe(v.string(), v.minLength(1, "Enter your password.")),
  });

export const registerSchema = v.object({
  name: v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, "Enter your name."),
    v.maxLength(100, "Use a shorter name: at most 100 characters."),
  ),
  email,
  password: v.pipe(
    v.string(),
    v.minLength(1, "Choose a password."),
    v.minLength(PASSWORD_LEAST, `Use at least ${PASSWORD_LEAST} characters.`),
    v.maxLength(PASSWORD_MOST, `Use at most ${PASSWORD_MOST} characters.`),
  ),
});

export type LoginForm = v.InferOutput<ReturnType<typeof loginSchema>>;
