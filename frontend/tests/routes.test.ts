import { describe, expect, it } from "vitest";
import { routes, safeNext, withNext } from "@/lib/routes";

describe("where a sign-in may lead", () => {
  it.each([
    ["/dashboard/", "/dashboard/"],
    ["/payment/?plan=team", "/payment/?plan=team"],
    ["/payment/?plan=a%20b#top", "/payment/?plan=a%20b#top"],
    ["/account", "/account"],
    ["/", "/"],
    ["/authors/", "/authors/"],
    ["/a/../dashboard/", "/dashboard/"],
    ["/payment/?next=//evil.example", "/payment/?next=//evil.example"],
  ])("%s is followed", (next, to) => {
    expect(safeNext(next)).toBe(to);
  });

  it.each([
    null,
    undefined,
    "",
    "dashboard",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " /dashboard",
    "/dash board",
    "https://evil.example",
    "javascript:alert(1)",
    "/auth/login/",
    "/auth",
    "/AUTH/login",
    "/%61uth/login/",
    "/./auth/otp/",
    "/dashboard/../auth/login/",
    "/a/..//evil.example",
    "/dashboard/\u0000",
    `/${"a".repeat(3000)}`,
  ])("%j is not", (next) => {
    expect(safeNext(next)).toBeNull();
  });

  it("never leaves the app, whatever is thrown at it", () => {
    const pieces = [
      "/",
      "//",
      "\\",
      "..",
      ".",
      "auth",
      "a",
      "%2f",
      "%5c",
      "?",
      "#",
      "@",
      ":",
      "\t",
    ];
    // A fixed seed: the same ten thousand addresses every time.
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 10_000; round += 1) {
      const next = Array.from({ length: 1 + random(7) }, () => pieces[random(pieces.length)]).join(
        "",
      );
      const to = safeNext(next);
      if (to === null) continue;
      const url = new URL(to, "http://app.invalid");
      expect(url.origin, next).toBe("http://app.invalid");
      expect(to.startsWith("//"), next).toBe(false);
      expect(/^\/auth(\/|$)/i.test(url.pathname), next).toBe(false);
      expect(safeNext(to), "and is stable").toBe(to);
    }
  });

  it("travels in the address of the sign-in page, or not at all", () => {
    expect(withNext(routes.login, "/payment/?plan=team")).toBe(
      "/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam",
    );
    expect(withNext(routes.login, "//evil.example")).toBe("/auth/login/");
  });
});
