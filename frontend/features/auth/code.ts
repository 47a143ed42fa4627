import { type CodeForm, codeOf } from "vestibule";

/** The code in what was typed or pasted, and whether that held something that no such code holds. */
export function readCode(typed: string, form: CodeForm): { code: string; stray: boolean } {
  const code = codeOf(typed, form);
  if (form.letters) return { code, stray: false };
  return { code: code.replace(/\D/g, ""), stray: /\D/.test(code) };
}

/** What a code consists of, for a sentence. */
export function consistsOf({ length, letters }: CodeForm): string {
  if (letters) return `${length} characters`;
  return length === 6 ? "six digits" : `${length} digits`;
}

/** The name of the field. */
export function nameOfCode({ length, letters }: CodeForm): string {
  if (letters) return `Code of ${length} characters`;
  return length === 6 ? "Six-digit code" : `${length}-digit code`;
}
