import path from "node:path";
import type { NextConfig } from "next";

// As the frontend's, for a page that says nothing: what is left is Next's and React's own.
const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  images: { unoptimized: true },
  turbopack: { root: path.resolve(import.meta.dirname, "..") },
};

export default config;
