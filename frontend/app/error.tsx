"use client";

import { BrokenScreen } from "@/features/shell/error-screens";

export default function ErrorPage({ reset }: { error: Error; reset: () => void }) {
  return <BrokenScreen retry={reset} />;
}
