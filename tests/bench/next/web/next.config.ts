import path from "node:path";
import type { NextConfig } from "next";

// A server, as a web app has one: the frontend's export has none.
const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  turbopack: { root: path.resolve(import.meta.dirname, "..") },
};

export default config;
