import { describe, expect, it } from "vitest";
import { describe as say } from "@/lib/messages";
import { FAILURES } from "@/lib/native";

describe("a failure in words", () => {
  it.each(Object.entries(FAILURES))("%s: is said in whole sentences", (_name, failure) => {
    expect(say(failure)).toMatch(/^[A-Z].*\.$/);
  });

  it("is said in the words of the core", () => {
    expect(say({ ...FAILURES.badAnswer, message: "Their words." })).toBe("Their words.");
  });

  it("shows nobody the details of a fault of the app", () => {
    const failure = { ...FAILURES.internal, message: "window not allowed to call login" };
    expect(say(failure)).toBe(FAILURES.internal.message);
  });
});
