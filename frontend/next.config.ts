import path from "node:path";
import type { NextConfig } from "next";

// A static export: there is no Next server in the desktop app. Each route is a
// folder with an index, which is what Tauri's asset protocol resolves.
const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  // A window of the app shows the app; errors are shown all the same.
  devIndicators: false,
  poweredByHeader: false,
  images: { unoptimized: true },
  allowedDevOrigins: ["127.0.0.1", "localhost"],
  turbopack: { root: path.resolve(import.meta.dirname) },
};

export default config;
