"use client";

import "./globals.css";
import { BrokenScreen } from "@/features/shell/error-screens";

// Shown where the frame itself has failed.
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
