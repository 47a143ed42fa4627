import path from "node:path";
import type { NextConfig } from "next";

// A static export, because the desktop app has no Next server. Each route is a folder with an index
// file, which Tauri's asset protocol can resolve.
const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  // Next's development indicator would cover part of the app. Its error overlay still appears.
  devIndicators: false,
  poweredByHeader: false,
  images: { unoptimized: true },
  allowedDevOrigins: ["127.0.0.1", "localhost"],
  turbopack: { root: path.resolve(import.meta.dirname) },
};

export default config;
