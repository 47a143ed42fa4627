import type { ListedSession } from "vestibule";
import { moment } from "@/lib/format";

/** A short name of what a session runs on. */
export function deviceName({ name, browser, os, userAgent }: ListedSession): string {
  const program = [browser, os].filter(Boolean).join(" on ");
  return name ?? (program || (userAgent ?? "An unknown device"));
}

export function lastSeen({ lastUsedAt, createdAt }: ListedSession): string {
  if (lastUsedAt !== null) return `Last used ${moment(lastUsedAt)}`;
  const began = createdAt === null ? "" : `, signed in ${moment(createdAt)}`;
  return `Last used: unknown${began}`;
}

/** What is said of the sessions that the list does not show. */
export function leftOutText(leftOut: number): string {
  return leftOut === 1
    ? "The server lists one more session, which is not shown."
    : `The server lists ${leftOut} more sessions, which are not shown.`;
}
