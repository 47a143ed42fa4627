import path from "node:path";
import { defineConfig } from "vitest/config";

const here = (...parts: string[]) => path.resolve(import.meta.dirname, ...parts);

export default defineConfig({
  resolve: {
    alias: [
      // Next's own link needs Next's whole router; this one uses the test's router.
      { find: /^next\/link$/, replacement: here("tests/support/link.tsx") },
      { find: /^@\//, replacement: `${here()}/` },
      // The package's sources, so that nothing has to be built before a test.
      { find: /^vestibule$/, replacement: here("vestibule/src/index.ts") },
      { find: /^vestibule\/react$/, replacement: here("vestibule/src/react/index.tsx") },
      { find: /^vestibule\/better-auth$/, replacement: here("vestibule/src/better-auth/index.ts") },
    ],
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}", "vestibule/tests/**/*.test.{ts,tsx}"],
    setupFiles: ["./tests/support/setup.ts"],
    restoreMocks: true,
    // All files of a worker share a DOM and the app's modules; isolating them doubled the time. The
    // setup file removes what a test leaves behind, so the order of the tests does not matter.
    isolate: false,
    // The test command runs nothing else at the same time, and the default would leave a core idle.
    maxWorkers: "100%",
    // A long limit, because other builds may share the machine. No test waits for the wall clock.
    testTimeout: 30_000,
  },
});
