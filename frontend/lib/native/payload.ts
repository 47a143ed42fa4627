// The one place that normalises what a person has typed before it is sent.

import type { Extra, LoginFields, OtpAnswer, RegisterFields } from "./commands";

type Raw = Record<string, unknown>;

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function extra(key: "fingerprint" | "more", value: unknown): { [K in typeof key]?: Extra } {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value);
  return plain ? { [key]: value as Extra } : {};
}

/** The e-mail is trimmed. The password is not changed, since spaces may be part of it. */
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

/** Keeps only the digits of the code, because people paste "123 456" or "123-456". */
export function otpAnswer(raw: Raw): OtpAnswer {
  const code = text(raw.code ?? raw.otp).replace(/\D/g, "");
  return { challenge: text(raw.challenge), code };
}
