import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

// Which packages a page loads first: what its files import, other than by `import()`.

const root = path.resolve(import.meta.dirname, "..");
const IMPORTS = /^(?:import|export)(?! type)\s(?:[^;]*?\sfrom\s)?"([^"]+)";/gms;

/** The file that an import names; null where it names a package. */
function fileOf(name: string, from: string): string | null {
  if (!/^(?:@\/|\.)/.test(name)) return null;
  const base = name.startsWith("@/")
    ? path.join(root, name.slice(2))
    : path.resolve(from, "..", name);
  const file = ["", ".ts", ".tsx"]
    .map((end) => base + end)
    .find((each) => /\.\w+$/.test(each) && existsSync(each));
  if (!file) throw new Error(`${from} imports ${name}, which is not there`);
  return file;
}

/** The package, and of "radix-ui" each part that is imported, since it is many packages in one. */
function partsOf(name: string, statement: string): string[] {
  if (name !== "radix-ui") return [name];
  const [, names = ""] = statement.match(/\{([^}]*)\}/) ?? [];
  return names.split(",").map((each) => `${name} ${each.trim().split(" ")[0]}`);
}

/** What these pages import from packages. */
function loadedFirst(...pages: string[]): string[] {
  const seen = new Set<string>();
  const found = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file) || !/\.tsx?$/.test(file)) return;
    seen.add(file);
    for (const [statement, name = ""] of readFileSync(file, "utf8").matchAll(IMPORTS)) {
      const next = fileOf(name, file);
      if (next) visit(next);
      else for (const part of partsOf(name, statement)) found.add(part);
    }
  };
  for (const page of pages) visit(path.join(root, page));
  return [...found].sort();
}

const FRAME = [
  "@fontsource-variable/inter/wght.css",
  "lucide-react",
  "next/link",
  "next/navigation",
  "radix-ui Avatar",
  "radix-ui Slot",
  "react",
  "vestibule",
  "vestibule/react",
];

describe("the first load", () => {
  it.each([
    ["of a page with nothing of its own", "app/not-found.tsx", []],
    ["of home", "app/page.tsx", ["valibot"]],
    ["of sign-in", "app/auth/login/page.tsx", ["valibot"]],
    ["of the page for a code (the control)", "app/auth/otp/page.tsx", ["input-otp"]],
  ])("%s has no package that it does not need at once", (_name, page, own) => {
    expect(loadedFirst("app/layout.tsx", page)).toEqual([...FRAME, ...own].sort());
  });
});
