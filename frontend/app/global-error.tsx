"use client";

import "./globals.css";
import { BrokenScreen } from "@/features/shell/trouble";

// The last resort: the frame itself failed.
export default function GlobalError({ reset }: { error: Error; reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <main>
          <BrokenScreen retry={reset} />
        </main>
      </body>
    </html>
  );
}
