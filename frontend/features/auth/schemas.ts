import * as z from "@/lib/zod";

// What the forms check before they ask the backend, which decides. Messages say what to do.

const email = z
  .string()
  .trim()
  .min(1, "Enter your e-mail address.")
  .pipe(z.email("Enter an e-mail address, such as name@example.com."));

export const PASSWORD_LEAST = 8;
export const PASSWORD_MOST = 200;

export const loginSchema = z.object({
  email,
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

export type LoginForm = z.infer<typeof loginSchema>;
export type RegisterForm = z.infer<typeof registerSchema>;
