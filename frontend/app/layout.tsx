import "@fontsource-variable/inter/wght.css";
import "./globals.css";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { AppFrame } from "./app-frame";

// There is no title here. Each screen sets its own once the session is known, so that the exported
// HTML of a page does not show what the page is about.
export const metadata: Metadata = {
  description: "A desktop app with native sign-in",
  referrer: "no-referrer",
};

export const viewport: Viewport = { colorScheme: "light dark" };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <AppFrame>{children}</AppFrame>
      </body>
    </html>
  );
}
