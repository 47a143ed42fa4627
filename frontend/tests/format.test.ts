import { describe, expect, it } from "vitest";
import { deviceName, lastSeen } from "@/features/account/session-list";
import { capital, duration, initials, moment, money } from "@/lib/format";
import { listedSession } from "@/vestibule/tests/support/states";

describe("words for people", () => {
  it.each([
    ["Ada Lovelace", "AL"],
    ["  ada  ", "A"],
    ["Juan María de la Cruz", "JC"],
    ["李 小龍", "李小"],
    ["👩‍🚀 Zed", "👩Z"],
    ["", "?"],
  ])("initials of %j", (name, letters) => {
    expect(initials(name)).toBe(letters);
  });

  it.each([
    [0, "0 s"],
    [99, "99 s"],
    [120, "2 min"],
    [3600, "60 min"],
    [7200, "2 h"],
  ])("%i seconds", (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });

  it("begins a sentence", () => {
    expect(capital("today, 14:03")).toBe("Today, 14:03");
    expect(capital("")).toBe("");
  });

  it("money", () => {
    expect(money(29, "EUR")).toBe("€29");
    expect(money(9.9, "EUR")).toBe("€9.90");
    expect(money(5, "not a currency")).toBe("5 not a currency");
  });

  it("moments, today and otherwise, and what is none", () => {
    expect(moment(Date.now())).toMatch(/^today, /);
    expect(moment("2020-02-03T10:00:00Z")).toContain("2020");
    expect(moment("whenever")).toBe("unknown");
  });

  it.each([
    [{ os: "Debian 12", browser: "Vestibule 1" }, "Vestibule 1 on Debian 12"],
    [{ os: "Windows 11" }, "Windows 11"],
    [{ name: "A phone", os: "iOS", userAgent: "x" }, "A phone"],
    [{ userAgent: "curl/7.88.1" }, "curl/7.88.1"],
    [{}, "An unknown device"],
  ])("a device %j", (says, words) => {
    expect(deviceName(listedSession("a", says))).toBe(words);
  });

  it("when a session was last seen", () => {
    const now = Date.now();
    expect(lastSeen(listedSession("a"))).toBe("Last used: unknown");
    expect(lastSeen(listedSession("a", { createdAt: now }))).toMatch(
      /^Last used: unknown, signed in today/,
    );
    const used = listedSession("a", { createdAt: now, lastUsedAt: now });
    expect(lastSeen(used)).toMatch(/^Last used today/);
  });
});
