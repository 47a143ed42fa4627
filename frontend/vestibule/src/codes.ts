import type { CodeForm } from "./ipc/wire.ts";

const DIGIT = /\p{Nd}/u;

/** The digits of every script as ASCII. Each script has its ten in a row, from zero on. */
function foldDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0) ?? 0;
    let below = 0;
    while (DIGIT.test(String.fromCodePoint(point - below - 1))) below++;
    return String(below % 10);
  });
}

/**
 * A code as the backend wants it, of what a person has typed or pasted: digits of any script are
 * ASCII digits, spaces are left out, and so is what people put between the digits of a code that has
 * nothing else. Nothing is cut: what does not fit stays, for the page or the backend to refuse.
 */
export function codeOf(typed: string, { letters }: Pick<CodeForm, "letters">): string {
  const folded = foldDigits(typed).replace(/\s/g, "");
  return letters ? folded : folded.replace(/[-‐‑–.]/g, "");
}
