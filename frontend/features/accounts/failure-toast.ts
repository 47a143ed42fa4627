"use client";

import type { AuthError } from "vestibule";
import { toast } from "@/components/ui/toast";
import { messages } from "@/lib/vestibule";

/** Says why something failed that was begun where nothing stays to say it, such as in a menu. */
export async function tellFailure(work: Promise<AuthError | null>): Promise<void> {
  const failed = await work;
  if (failed) toast.error(messages.describe(failed));
}
