import { act, cleanup, render } from "@testing-library/react";
import { createVestibule, type Vestibule } from "vestibule";
import { type BetterAuthClient, createBetterAuthClient } from "vestibule/better-auth";
import { useSession, VestibuleProvider } from "vestibule/react";
import { describe, expect, it, vi } from "vitest";
import { startShell } from "./support/shell";
import { restoring, signedIn, signedOut, stale } from "./support/states";

type Seen = { email: string | null; isPending: boolean; data: unknown };

type Hook = () => { data: unknown; isPending: boolean };

function Probe({ useHook, seen }: { useHook: Hook; seen: Seen[] }) {
  const { data, isPending } = useHook();
  const email = (data as { user: { email: string } } | null)?.user.email ?? null;
  seen.push({ email, isPending, data });
  return null;
}

/** Every render of a component that reads the session. */
function watch(vestibule: Vestibule, useHook: Hook) {
  const seen: Seen[] = [];
  render(
    <VestibuleProvider vestibule={vestibule}>
      <Probe useHook={useHook} seen={seen} />
    </VestibuleProvider>,
  );
  return seen;
}

async function startPage(): Promise<Vestibule> {
  const vestibule = createVestibule();
  await vestibule.auth.start();
  return vestibule;
}

/** What a component does by the `refetch` of Better Auth's hook. */
function read(client: BetterAuthClient): Promise<void> {
  const session = client.$store.atoms.session?.get() as { refetch: () => Promise<void> };
  return session.refetch();
}

/** A hook of a page, and the read that the hook's owner may do at any time. */
const HOOKS: [string, (page: Vestibule) => { useHook: Hook; reread: () => Promise<void> }][] = [
  ["the package's", () => ({ useHook: useSession, reread: () => Promise.resolve() })],
  [
    "Better Auth's own",
    (page) => {
      const client = createBetterAuthClient(page);
      return { useHook: client.useSession, reread: () => act(() => read(client)) };
    },
  ],
];

describe("useSession", () => {
  it.each(HOOKS)("%s knows the user at its first render, without a command", async (_name, on) => {
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const before = shell.calls.length;
    const { useHook, reread } = on(vestibule);
    const seen = watch(vestibule, useHook);
    expect(seen[0]).toMatchObject({ email: "ada@example.com", isPending: false });
    await reread();
    expect(seen.every((each) => each.email === "ada@example.com" && !each.isPending)).toBe(true);
    expect(shell.calls.length - before).toBe(0);
  });

  it.each(HOOKS)("%s is never pending once it is known that nobody is signed in", async (_, on) => {
    startShell(signedOut());
    const vestibule = await startPage();
    const { useHook, reread } = on(vestibule);
    const seen = watch(vestibule, useHook);
    await reread();
    expect(seen.every((each) => each.email === null && !each.isPending)).toBe(true);
  });

  it.each(HOOKS)(
    "%s is pending while the session is restored, and not signed out",
    async (_, on) => {
      const shell = startShell(restoring());
      const vestibule = await startPage();
      const seen = watch(vestibule, on(vestibule).useHook);
      expect(seen.at(-1)?.isPending).toBe(true);
      await shell.change(signedIn());
      expect(seen.at(-1)).toMatchObject({ email: "ada@example.com", isPending: false });
      expect(seen.some((each) => each.email === null && !each.isPending)).toBe(false);
    },
  );

  it.each(HOOKS)("%s is pending again, with nobody's data, after a stop", async (_name, on) => {
    startShell(signedIn());
    const vestibule = await startPage();
    const seen = watch(vestibule, on(vestibule).useHook);
    expect(seen.at(-1)).toMatchObject({ email: "ada@example.com", isPending: false });
    act(() => vestibule.snapshots.stop());
    expect(seen.at(-1)).toMatchObject({ data: null, isPending: true });
    await act(() => vestibule.auth.start());
    expect(seen.at(-1)).toMatchObject({ email: "ada@example.com", isPending: false });
    expect(seen.some((each) => each.email === null && !each.isPending)).toBe(false);
  });

  it.each(HOOKS)("%s follows every change, and keeps its object otherwise", async (_name, on) => {
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const { useHook, reread } = on(vestibule);
    const seen = watch(vestibule, useHook);
    const first = seen[0]?.data;
    await shell.change(stale(), "outage");
    await shell.change(signedIn(), "refresh");
    await reread();
    expect(
      seen.every(({ data }) => data === first),
      "an outage changes no session",
    ).toBe(true);
    await shell.change(signedIn({ user: { name: "Ada King" } }));
    expect(seen.at(-1)?.data).toMatchObject({ user: { name: "Ada King" } });
    await shell.change(signedOut("revoked"), "rejected");
    expect(seen.at(-1)?.email).toBeNull();
  });

  it("does not let a read that began earlier bring an old session back", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const reads = vi.spyOn(vestibule.auth, "getSession");
    // The change happens in each step of a read in turn.
    for (let step = 0; step < 60; step += 1) {
      const seen = watch(vestibule, createBetterAuthClient(vestibule).useSession);
      await act(async () => {
        // Better Auth's hook reads the session in a timer that it sets when it mounts.
        vi.advanceTimersByTime(0);
        await steps(step);
        shell.changeNow(signedOut("by_user"), "logout");
        await steps(100);
      });
      expect(seen.at(-1)?.email, `${step} steps into the read`).toBeNull();
      await shell.change(signedIn(), "login");
      expect(seen.at(-1)?.email).toBe("ada@example.com");
      cleanup();
    }
    expect(reads.mock.calls.length, "the control: reads began").toBeGreaterThan(50);
  });

  it("is read again without a text: the snapshot has set it already", async () => {
    // Better Auth's hook reads the session in a timer, and no timer runs here, so that read never begins.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    startShell(signedIn());
    const vestibule = await startPage();
    const client = createBetterAuthClient(vestibule);
    const seen = watch(vestibule, client.useSession);
    const texts = [vi.spyOn(JSON, "stringify"), vi.spyOn(JSON, "parse")];
    await act(() => read(client));
    expect(texts.map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
    expect(seen.every((each) => each.email === "ada@example.com" && !each.isPending)).toBe(true);
  });
});

/** Lets a promise that is under way go on by so many steps. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) await Promise.resolve();
}
