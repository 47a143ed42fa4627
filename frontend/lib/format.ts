// Times, dates and money as people read them, in the system's own manner.

export function clockTime(epochMs: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(epochMs);
}

/** Since when: today the time alone, and the date with any other day. */
export function since(epochMs: number): string {
  const today = new Date(epochMs).toDateString() === new Date().toDateString();
  return today ? clockTime(epochMs) : moment(epochMs);
}

/** As a sentence begins: "today, 14:03" as "Today, 14:03". */
export function capital(text: string): string {
  const [first = "", ...rest] = text;
  return first.toLocaleUpperCase() + rest.join("");
}

/** Today: the time alone. Any other day: the date with the time. Within a sentence. */
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

/** A day, as "2026-11-02" or a moment of it. */
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
    // Not an ISO currency code: show what the backend said.
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

/** "12.3 MB", of a million bytes each. */
export function megabytes(bytes: number): string {
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/** "84 Mbit/s". */
export function bitRate(bitsPerSecond: number): string {
  const mega = bitsPerSecond / 1e6;
  const digits = mega < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }).format(mega)} Mbit/s`;
}
