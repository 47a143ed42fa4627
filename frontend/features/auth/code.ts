import { type CodeForm, type CodeMethod, codeOf, type OfferedMethod } from "vestibule";

/** The code in what was typed or pasted, and whether that held something that no such code holds. */
export function readCode(typed: string, form: CodeForm): { code: string; stray: boolean } {
  const code = codeOf(typed, form);
  if (form.letters) return { code, stray: false };
  return { code: code.replace(/\D/g, ""), stray: /\D/.test(code) };
}

/** What a code consists of, for a sentence. */
export function consistsOf({ length, letters }: CodeForm): string {
  if (length === null) return letters ? "letters, digits or signs" : "digits";
  if (letters) return `${length} characters`;
  return length === 6 ? "six digits" : `${length} digits`;
}

/** The name of the field. */
export function nameOfCode({ method, form: { length, letters } }: OfferedMethod): string {
  if (method === "recovery") return "Recovery code";
  if (length === null) return "Code";
  if (letters) return `Code of ${length} characters`;
  return length === 6 ? "Six-digit code" : `${length}-digit code`;
}

/**
 * How many boxes the code is typed into; null where it is typed into an ordinary field, because its
 * length varies, or because it is a recovery code, which is long and has signs in it.
 */
export function boxesOf({ method, form }: OfferedMethod): number | null {
  return method === "recovery" ? null : form.length;
}

/** Whether this is a whole code. */
export function isWhole(code: string, { length }: CodeForm): boolean {
  return length === null ? code !== "" : code.length === length;
}

/** The button that changes to this method. */
export function wayTo({ method, canBeSent, sentTo }: OfferedMethod): string {
  const words: Record<CodeMethod, string> = {
    otp: canBeSent && sentTo === null ? "Send me a code" : "Use the code that was sent",
    totp: "Use your authenticator app",
    recovery: "Use a recovery code",
  };
  return words[method];
}
