import path from "node:path";
import type { NextConfig } from "next";

// The same configuration as the frontend's, for a page without content: only Next's and React's own
// code is left.
const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  images: { unoptimized: true },
  turbopack: { root: path.resolve(import.meta.dirname, "..") },
};

export default config;
