import type { Identifier } from "vestibule";
import * as z from "@/lib/zod";

// What the forms check before they ask the backend, which decides. Messages say what to do.

const NO_EMAIL = "Enter your e-mail address.";

// What is before and after the sign is for the server to judge: its letters may be of any script.
const email = z
  .string()
  .trim()
  .min(1, NO_EMAIL)
  .regex(/^[^\s@]+@[^\s@]+$/, "Enter an e-mail address, such as name@example.com.");

export const PASSWORD_LEAST = 8;
export const PASSWORD_MOST = 200;

/** At a sign-in nothing but emptiness is the app's to judge: the server knows its accounts. */
export const loginSchema = (identifier: Identifier) =>
  z.object({
    email: z
      .string()
      .trim()
      .min(1, identifier === "email" ? NO_EMAIL : "Enter your user name."),
    password: z.string().min(1, "Enter your password."),
  });

export const registerSchema = z.object({
  name: z
    .string()
    .trim()
    .min(1, "Enter your name.")
    .max(100, "Use a shorter name: at most 100 characters."),
  email,
  password: z
    .string()
    .min(1, "Choose a password.")
    .min(PASSWORD_LEAST, `Use at least ${PASSWORD_LEAST} characters.`)
    .max(PASSWORD_MOST, `Use at most ${PASSWORD_MOST} characters.`),
});

export type LoginForm = z.infer<ReturnType<typeof loginSchema>>;
export type RegisterForm = z.infer<typeof registerSchema>;
