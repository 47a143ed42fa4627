import { describe, expect, it } from "vitest";
import { openBackendCall } from "../src/fetch/backend-call";

describe("the number of a call", () => {
  it("counts on over all copies of the package in a page", async () => {
    // The query makes another module of the same file. `vi.resetModules()` would make all modules
    // again, also for the files of tests that follow in this worker.
    const copy = "../src/fetch/backend-call.ts?another-copy";
    const other: { openBackendCall: typeof openBackendCall } = await import(copy);
    expect(other.openBackendCall, "it is another copy").not.toBe(openBackendCall);
    const { number: first } = openBackendCall(null);
    expect(other.openBackendCall(null).number).toBe(first + 1);
    expect(openBackendCall(null).number).toBe(first + 2);
  });
});
