import path from "node:path";
import type { NextConfig } from "next";

// A web app with a server; the frontend's own export has none.
const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  turbopack: { root: path.resolve(import.meta.dirname, "..") },
};

export default config;
