import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { startShell } from "./support/shell";
import { reply, restoring, signedIn, signedOut } from "./support/states";

const PAGE = path.resolve(import.meta.dirname, "../../../tests/adopter/index.html");

const text = (selector: string) => document.querySelector(selector)?.textContent;
const hidden = (selector: string) => document.querySelector<HTMLElement>(selector)?.hidden;

it("the page of the guide says why it waits, until it knows whether somebody is signed in", async () => {
  const shell = startShell(restoring());
  shell.backend({ "GET /me": reply(200, { user: { email: "ada@example.com" } }) });
  const isShown = () => shell.called("window_ready").length > 0;
  const page = new DOMParser().parseFromString(readFileSync(PAGE, "utf8"), "text/html");
  document.body.replaceChildren(...page.body.children);
  await import("../../../tests/adopter/src/main");
  await expect.poll(() => shell.channels).toHaveLength(1);
  expect(text("[role=status]")).toBe("");
  expect(isShown(), "most starts take less than a moment").toBe(false);

  shell.changeNow(restoring({ since: 1, retryInMs: 2, why: "refused" }), "outage");
  expect(text("[role=status]")).toMatch(/^Nothing answers at the server's address\./);
  expect(isShown()).toBe(true);
  expect([hidden("form"), hidden("main")]).toEqual([true, true]);
  shell.changeNow(restoring({ since: 1, retryInMs: 2, why: null }), "outage");
  expect(text("[role=status]")).toBe("The server cannot be reached.");
  shell.changeNow({ ...restoring(), storage: "locked" }, "storage");
  expect(text("[role=status]")).toMatch(/^Your keyring is locked\. .*Unlock it to go on\.$/);

  shell.changeNow(signedOut("expired"));
  expect(text("[role=status]")).toBe("");
  expect([hidden("form"), hidden("main")]).toEqual([false, true]);

  shell.changeNow(signedIn(), "login");
  expect(text("h1")).toBe("Signed in as Ada Lovelace");
  expect([hidden("form"), hidden("main")]).toEqual([true, false]);
  document.querySelector<HTMLElement>("#ask")?.click();
  await expect.poll(() => text("output")).toBe("ada@example.com");
  document.body.replaceChildren();
});
