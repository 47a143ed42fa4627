"use client";

import { BrokenScreen } from "@/features/shell/trouble";

export default function ErrorPage({ reset }: { error: Error; reset: () => void }) {
  return <BrokenScreen retry={reset} />;
}
