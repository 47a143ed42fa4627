// The one place where what a person typed is put in the form the backend expects.

import type { Extra, LoginFields, OtpAnswer, RegisterFields } from "./commands";

type Raw = Record<string, unknown>;

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function extra(key: "fingerprint" | "more", value: unknown): { [K in typeof key]?: Extra } {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value);
  return plain ? { [key]: value as Extra } : {};
}

/** E-mail trimmed; a password is taken as it is, spaces included. */
export function loginFields(raw: Raw): LoginFields {
  return {
    email: text(raw.email).trim(),
    password: text(raw.password),
    ...extra("fingerprint", raw.fingerprint),
  };
}

export function registerFields(raw: Raw): RegisterFields {
  return { name: text(raw.name).trim(), ...loginFields(raw), ...extra("more", raw.more) };
}

/** Digits only: codes are pasted as "123 456" or "123-456". */
export function otpAnswer(raw: Raw): OtpAnswer {
  const code = text(raw.code ?? raw.otp).replace(/\D/g, "");
  return { challenge: text(raw.challenge), code };
}
