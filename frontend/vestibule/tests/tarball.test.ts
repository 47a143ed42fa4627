// What `npm pack` puts into the tarball, and whether another app's TypeScript understands it.

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PACKAGE = path.resolve(import.meta.dirname, "..");
const FRONTEND = path.resolve(PACKAGE, "..");
const WINDOWS = process.platform === "win32";

const folder = mkdtempSync(path.join(tmpdir(), "vestibule-tarball-"));
let files: string[] = [];

beforeAll(() => {
  const args = ["pack", "--json", "--pack-destination", folder];
  const options = { cwd: PACKAGE, encoding: "utf8", shell: WINDOWS, stdio: "pipe" } as const;
  const said = execFileSync("npm", args, options);
  // The build that comes first may print lines of its own.
  const [packed] = JSON.parse(said.slice(said.indexOf("[\n"))) as [
    { filename: string; files: { path: string }[] },
  ];
  files = packed.files.map((file) => file.path).sort();
  mkdirSync(path.join(folder, "node_modules"));
  execFileSync("tar", ["-xf", packed.filename, "-C", "node_modules"], { cwd: folder });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tarball", () => {
  it("holds what the sources become, and nothing else", () => {
    const sources = readdirSync(path.join(PACKAGE, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => name.replaceAll("\\", "/").replace(/\.tsx?$/, ""));
    const built = sources.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]);
    expect(files).toEqual(["LICENSE", "README.md", "package.json", ...built].sort());
  });

  it("says who may use it, as the repository does", () => {
    const licence = readFileSync(path.join(PACKAGE, "LICENSE"), "utf8");
    expect(licence).toBe(readFileSync(path.resolve(FRONTEND, "../LICENSE"), "utf8"));
  });

  it("has a file for every entry point", () => {
    const { exports } = JSON.parse(readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
    expect(Object.keys(exports)).toEqual([".", "./react", "./better-auth"]);
    for (const { types, default: code } of Object.values<Record<string, string>>(exports)) {
      expect(files).toContain(types?.slice(2));
      expect(files).toContain(code?.slice(2));
    }
  });

  it("imports in each entry point no packages but those that it is for", () => {
    const imported = (name: string) => {
      const text = readFileSync(path.join(PACKAGE, name), "utf8");
      return [...text.matchAll(/(?:from|import\() ?"([^".][^"]*)"/g)].map(([, module]) => module);
    };
    const importsOf = (place: RegExp) =>
      new Set(files.filter((name) => /^dist/.test(name) && place.test(name)).flatMap(imported));
    expect([...importsOf(/^dist\/react\//)].sort()).toEqual(["react", "react/jsx-runtime"]);
    expect([...importsOf(/^dist\/better-auth\//)].sort()).toEqual(["better-auth/react"]);
    const core = [...importsOf(/^dist\/(?!react|better-auth)/)];
    expect(core).toContain("@tauri-apps/api/core");
    expect(core.filter((module) => !module?.startsWith("@tauri-apps/api/"))).toEqual([]);
  });
});

// Another app. A line after `@ts-expect-error` compiles only where the types were not found.
const PAGE = `
import { createVestibule, type Right } from "vestibule";
import { createBetterAuthClient } from "vestibule/better-auth";
import { May, useMay, useSession, VestibuleProvider } from "vestibule/react";

declare module "vestibule" {
  interface AppTypes {
    right: "orders.see";
  }
}

const vestibule = createVestibule({ words: { failures: { badAnswer: "Pardon?" } } });
export const right: Right = "orders.see";
// @ts-expect-error: the app has no such right
export const other: Right = "orders.sea";

export async function signIn(): Promise<"signed_in" | "otp_required" | "accepted"> {
  const { data, error } = await vestibule.auth.login({ email: "a@b.c", password: "p" });
  if (error) throw new Error(vestibule.messages.describe(error));
  // @ts-expect-error: an outcome has no token
  data.token;
  // @ts-expect-error: a password is wanted
  vestibule.auth.login({ email: "a@b.c" });
  return data.outcome;
}

const client = createBetterAuthClient(vestibule);

function Name(): string {
  // @ts-expect-error: the app has no such right
  useMay("orders.sea");
  // @ts-expect-error: a session of the window has no token
  client.useSession().data?.session.token;
  client.signIn.email({ email: "a@b.c", password: "p" });
  const theirs: string | undefined = client.useSession().data?.user.name;
  const ours: string | undefined = useSession().data?.user.name;
  return ours ?? theirs ?? "";
}

export const page = (
  <VestibuleProvider vestibule={vestibule}>
    <May do={right}>
      <Name />
    </May>
  </VestibuleProvider>
);
`;

describe("another app's TypeScript", () => {
  beforeAll(() => {
    const modules = path.join(folder, "node_modules");
    renameSync(path.join(modules, "package"), path.join(modules, "vestibule"));
    for (const name of ["@tauri-apps", "@types", "better-auth", "react"]) {
      symlinkSync(path.join(FRONTEND, "node_modules", name), path.join(modules, name), "junction");
    }
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(path.join(folder, "page.tsx"), PAGE);
  });

  it.each([
    ["bundler", "esnext"],
    ["nodenext", "nodenext"],
  ])(
    "finds all types with moduleResolution %s",
    (moduleResolution, module) => {
      const compilerOptions = {
        target: "es2022",
        lib: ["dom", "dom.iterable", "es2023"],
        module,
        moduleResolution,
        jsx: "react-jsx",
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: [],
      };
      const config = path.join(folder, `tsconfig.${moduleResolution}.json`);
      writeFileSync(config, JSON.stringify({ compilerOptions, files: ["page.tsx"] }));
      const tsc = path.join(FRONTEND, "node_modules/typescript/bin/tsc");
      let said = "";
      try {
        execFileSync(process.execPath, [tsc, "-p", config], { encoding: "utf8", stdio: "pipe" });
      } catch (cause) {
        said = String((cause as { stdout: string }).stdout);
      }
      expect(said).toBe("");
    },
    120_000,
  );
});
