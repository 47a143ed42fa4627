import { moment } from "@/lib/format";
import * as z from "@/lib/zod";

const instant = z.union([z.string(), z.number()]);

export const sessionsSchema = z.array(
  z.object({
    id: z.string(),
    device: z.unknown(),
    createdAt: instant,
    lastUsedAt: instant.optional(),
    current: z.boolean().default(false),
  }),
);
export type SessionEntry = z.infer<typeof sessionsSchema>[number];

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

export function lastSeen(entry: SessionEntry): string {
  return entry.lastUsedAt === undefined
    ? `Signed in ${moment(entry.createdAt)}`
    : `Last used ${moment(entry.lastUsedAt)}`;
}
