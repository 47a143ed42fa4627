import { describe, expect, it } from "vitest";
import type { AuthFailure, ErrorCode } from "@/lib/auth";
import { describe as say, WORDS } from "@/lib/messages";
import { STATUS } from "@/lib/native";

const CODES = Object.keys(STATUS) as ErrorCode[];

function failure(code: ErrorCode, message: string): AuthFailure {
  return { code, message, retryAfterMs: null, status: STATUS[code] };
}

describe("a failure in words", () => {
  it.each(CODES)("%s: says what happened and what to do, in whole sentences", (code) => {
    const { what, action } = WORDS[code];
    for (const sentence of [what, ...(action === null ? [] : [action])]) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
    }
    const said = say(failure(code, ""));
    expect(said).toContain(what);
    if (action !== null) expect(said.endsWith(action)).toBe(true);
  });

  it("leaves a person without anything to do only where nothing helps", () => {
    expect(CODES.filter((code) => WORDS[code].action === null)).toEqual(["unsupported"]);
  });

  it("gives way to the sender's words only where those say more", () => {
    const theirs = CODES.filter((code) => say(failure(code, " Their words. ")) === "Their words.");
    const wanted = ["invalid_input", "account_blocked", "misconfigured", "cannot_start"];
    // What stands between the app and its server, or what there was too much of.
    wanted.push("unreachable", "backend_fault", "bad_answer", "busy");
    expect(theirs.sort()).toEqual(wanted.sort());
  });

  it.each([
    ["not_signed_in", "Nobody is signed in. Sign in, then try again."],
    ["path_refused", /not set up to ask the server for that\..* ask whoever manages the app\./],
    ["unknown_workspace", /workspace that does not exist\. Close it and start the app again\./],
    ["unsupported", "The server does not offer this."],
  ] as const)("%s", (code, words) => {
    expect(say(failure(code, "refused by rule 7"))).toMatch(words);
  });
});
