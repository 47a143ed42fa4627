import path from "node:path";
import { defineConfig } from "vitest/config";

const here = (...parts: string[]) => path.resolve(import.meta.dirname, ...parts);

export default defineConfig({
  resolve: {
    alias: [
      // Next's own link needs the whole of Next's router; this one follows the test's.
      { find: /^next\/link$/, replacement: here("tests/support/link.tsx") },
      { find: "@", replacement: here() },
    ],
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["./tests/support/setup.ts"],
    restoreMocks: true,
    // A DOM and the app's modules for each of the workers, not for each file, which doubled the
    // time; what a test leaves behind, the setup file clears away, whatever the order.
    isolate: false,
    // Nothing else runs beside these in the test command; the default leaves a core idle.
    maxWorkers: "100%",
    // Generous, because other builds may share the machine; nothing here waits for the clock.
    testTimeout: 30_000,
  },
});
