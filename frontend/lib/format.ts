// Times, dates, money and sizes as people read them, in the system's own format.

export function clockTime(epochMs: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(epochMs);
}

/** When something began: the time alone where that was today, else the date and the time. */
export function since(epochMs: number): string {
  const today = new Date(epochMs).toDateString() === new Date().toDateString();
  return today ? clockTime(epochMs) : moment(epochMs);
}

/** With a capital first letter: "today, 14:03" becomes "Today, 14:03". */
export function capital(text: string): string {
  const [first = "", ...rest] = text;
  return first.toLocaleUpperCase() + rest.join("");
}

/** A moment within a sentence: "today, 14:03", or the date and the time of another day. */
export function moment(when: string | number): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "unknown";
  if (date.toDateString() === new Date().toDateString()) {
    return `today, ${clockTime(date.getTime())}`;
  }
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(
    date,
  );
}

/** A day, given as "2026-11-02" or as a moment of that day. */
export function day(when: string): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return when;
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

export function money(amount: number, currency: string): string {
  try {
    return new Intl.NumberFormat(undefined, {
      style: "currency",
      currency,
      minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
    }).format(amount);
  } catch {
    // The backend's currency is not an ISO code, so it is shown as it is.
    return `${amount} ${currency}`;
  }
}

/** "12 s", "3 min", "1 h". */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = words[0] ?? "";
  const last = words.length > 1 ? (words.at(-1) ?? "") : "";
  const letter = (word: string) => [...word][0] ?? "";
  return (letter(first) + letter(last)).toLocaleUpperCase() || "?";
}

/** "12.3 MB", where a MB has a million bytes. */
export function megabytes(bytes: number): string {
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/** "84 Mbit/s". */
export function bitRate(bitsPerSecond: number): string {
  const mega = bitsPerSecond / 1e6;
  const digits = mega < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }).format(mega)} Mbit/s`;
}
