import { moment } from "@/lib/format";
import * as z from "@/lib/zod";

export type SessionEntry = {
  id: string;
  device: unknown;
  createdAt?: string | number;
  lastUsedAt?: string | number;
  current: boolean;
};

/**
 * The list of sessions, bare or in a member of that name. An entry that cannot be read is left out: the
 * others are worth showing.
 */
export const sessionsSchema = z.unknown().transform((answer, context): SessionEntry[] => {
  const list = Array.isArray(answer) ? answer : members(answer).sessions;
  if (Array.isArray(list)) return list.flatMap((entry) => read(members(entry)) ?? []);
  context.addIssue({ code: "custom", message: "There is no list of sessions." });
  return [];
});

type Members = Record<string, unknown>;

function members(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

function read(entry: Members): SessionEntry | null {
  const id = entry.id ?? entry._id;
  if (!(typeof id === "string" && id) && typeof id !== "number") return null;
  return {
    id: String(id),
    device: entry.device,
    createdAt: instant(entry.createdAt),
    lastUsedAt: instant(entry.lastUsedAt),
    current: entry.current === true,
  };
}

/**
 * A moment as a text or in milliseconds. A number below 1e11 counts seconds: in seconds it reaches to the
 * year 5138, and in milliseconds only to 1973.
 */
function instant(value: unknown): string | number | undefined {
  if (typeof value === "number" && Number.isFinite(value))
    return value < 1e11 ? value * 1000 : value;
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** A short name of a device, for every shape in which backends describe one. */
export function deviceName(device: unknown): string {
  if (typeof device === "string" && device.trim()) return device.trim();
  if (typeof device !== "object" || device === null) return "An unknown device";
  const { os, browser } = device as { os?: unknown; browser?: unknown };
  return [words(browser), words(os)].filter(Boolean).join(" on ") || "An unknown device";
}

function words(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value !== "object" || value === null) return "";
  const { name, type, version } = value as Record<string, unknown>;
  return [name ?? type, version].filter((part) => typeof part === "string" && part).join(" ");
}

export function lastSeen({ lastUsedAt, createdAt }: SessionEntry): string {
  if (lastUsedAt !== undefined) return `Last used ${moment(lastUsedAt)}`;
  return createdAt === undefined ? "Not known since when" : `Signed in ${moment(createdAt)}`;
}
