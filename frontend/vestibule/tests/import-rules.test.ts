// The rules of biome.json, asked about imports that are not there. Biome judges all of them in one
// run, in a folder that holds nothing but its configuration and these imports.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const FRONTEND = path.resolve(import.meta.dirname, "../..");
const BIOME = path.join(FRONTEND, "node_modules/@biomejs/biome/bin/biome");

const ALLOWED = [
  ["vestibule/src/auth.ts", "./ipc/commands.ts"],
  ["vestibule/src/ipc/ipc.ts", "@tauri-apps/api/core"],
  ["vestibule/src/fetch/upload.ts", "../ipc/commands.ts"],
  ["vestibule/src/react/index.tsx", "react"],
  ["vestibule/src/react/index.tsx", "../index.ts"],
  ["vestibule/src/better-auth/index.ts", "better-auth/react"],
  ["features/auth/login-screen.tsx", "vestibule/react"],
  ["features/auth/login-screen.tsx", "@/lib/vestibule"],
  ["app/page.tsx", "vestibule/better-auth"],
  ["app/page.tsx", "@/features/home/home-screen"],
  ["lib/purchases.ts", "./vestibule"],
] as const;

const REFUSED = [
  ["vestibule/src/auth.ts", "react"],
  ["vestibule/src/auth.ts", "react/jsx-runtime"],
  ["vestibule/src/auth.ts", "better-auth/client"],
  ["vestibule/src/auth.ts", "@tauri-apps/api/core"],
  ["vestibule/src/auth.ts", "./react/index.tsx"],
  ["vestibule/src/auth.ts", "./better-auth/index.ts"],
  ["vestibule/src/auth.ts", "@/lib/vestibule"],
  ["vestibule/src/auth.ts", "../../lib/vestibule"],
  ["vestibule/src/fetch/upload.ts", "../auth.ts"],
  ["vestibule/src/ipc/errors.ts", "@tauri-apps/api/core"],
  ["vestibule/src/ipc/ipc.ts", "../auth.ts"],
  ["vestibule/src/react/index.tsx", "better-auth/react"],
  ["vestibule/src/react/index.tsx", "../ipc/commands.ts"],
  ["vestibule/src/react/index.tsx", "next/navigation"],
  ["vestibule/src/better-auth/fetch.ts", "../auth.ts"],
  ["features/auth/login-screen.tsx", "@/features/shell/guards"],
  ["features/auth/login-screen.tsx", "../shell/guards"],
  ["features/auth/login-screen.tsx", "@/vestibule/src/auth"],
  ["features/auth/login-screen.tsx", "../../vestibule/src/auth"],
  ["features/auth/login-screen.tsx", "vestibule/src/auth"],
  ["features/auth/login-screen.tsx", "better-auth/react"],
  ["app/page.tsx", "@tauri-apps/api/core"],
  ["app/auth/login/page.tsx", "../../../vestibule/src/auth"],
  ["lib/purchases.ts", "../vestibule/src/auth"],
  ["lib/purchases.ts", "@/features/auth/notice"],
  ["components/ui/button.tsx", "vestibule/react"],
  ["components/ui/button.tsx", "@/lib/vestibule"],
] as const;

type Refusal = { location: { path: string; start: { line: number } } };

const folder = mkdtempSync(path.join(tmpdir(), "vestibule-imports-"));
let refused: string[] = [];

/** The imports of each place, one a line. */
function sources(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [place, module] of [...ALLOWED, ...REFUSED]) {
    found.set(place, [...(found.get(place) ?? []), module]);
  }
  return found;
}

beforeAll(() => {
  const all = sources();
  copyFileSync(path.join(FRONTEND, "biome.json"), path.join(folder, "biome.json"));
  for (const [place, modules] of all) {
    const file = path.join(folder, place);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, modules.map((module) => `import "${module}";\n`).join(""));
  }
  const only = "--only=style/noRestrictedImports";
  const args = [BIOME, "lint", only, "--reporter=json", "--max-diagnostics=none", "."];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Refusal[] };
  refused = diagnostics.map(({ location }) => {
    const place = location.path.replaceAll("\\", "/");
    return `${place} ${all.get(place)?.[location.start.line - 1]}`;
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("an import", () => {
  it.each(ALLOWED)("in %s of %s is allowed", (place, module) => {
    expect(refused).not.toContain(`${place} ${module}`);
  });

  it.each(REFUSED)("in %s of %s is refused", (place, module) => {
    expect(refused).toContain(`${place} ${module}`);
  });
});
