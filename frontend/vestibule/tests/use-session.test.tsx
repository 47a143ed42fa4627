import { act, render } from "@testing-library/react";
import { createVestibule, type Vestibule } from "vestibule";
import { createBetterAuthClient } from "vestibule/better-auth";
import { useSession, VestibuleProvider } from "vestibule/react";
import { describe, expect, it } from "vitest";
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
function watch(vestibule: Vestibule, useHook: Hook = useSession) {
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

/** Waits until the client's own reads after mounting are over. */
const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 30)));

describe("useSession", () => {
  it.each([
    ["the package's", () => useSession],
    ["Better Auth's own", (page: Vestibule) => createBetterAuthClient(page).useSession],
  ])("%s knows the user at its first render, without a command", async (_name, hookOf) => {
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const before = shell.calls.length;
    const seen = watch(vestibule, hookOf(vestibule));
    expect(seen[0]).toMatchObject({ email: "ada@example.com", isPending: false });
    await settle();
    expect(seen.every((each) => each.email === "ada@example.com" && !each.isPending)).toBe(true);
    expect(shell.calls.length - before).toBe(0);
  });

  it("is never pending once it is known that nobody is signed in", async () => {
    startShell(signedOut());
    const vestibule = await startPage();
    const seen = watch(vestibule);
    await settle();
    expect(seen.every((each) => each.email === null && !each.isPending)).toBe(true);
  });

  it("is pending while the session is being restored, and never signed out meanwhile", async () => {
    const shell = startShell(restoring());
    const vestibule = await startPage();
    const seen = watch(vestibule);
    expect(seen.at(-1)?.isPending).toBe(true);
    await shell.change(signedIn());
    expect(seen.at(-1)).toMatchObject({ email: "ada@example.com", isPending: false });
    expect(seen.some((each) => each.email === null && !each.isPending)).toBe(false);
  });

  it("follows every change, and keeps the same object while nothing in it changed", async () => {
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const seen = watch(vestibule);
    const first = seen[0]?.data;
    await shell.change(stale(), "outage");
    await shell.change(signedIn(), "refresh");
    await settle();
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
    const shell = startShell(signedIn());
    const vestibule = await startPage();
    const client = createBetterAuthClient(vestibule);
    const seen = watch(vestibule, client.useSession);
    // The change happens in each step of a read in turn.
    for (let step = 0; step < 60; step += 1) {
      await act(async () => {
        const query = client.$store.atoms.session?.get() as { refetch: () => Promise<void> };
        void query.refetch();
        for (let wait = 0; wait < step; wait += 1) await Promise.resolve();
        shell.changeNow(signedOut("by_user"), "logout");
      });
      await settle();
      expect(seen.at(-1)?.email, `${step} steps into the read`).toBeNull();
      await shell.change(signedIn(), "login");
      expect(seen.at(-1)?.email).toBe("ada@example.com");
    }
  });
});
