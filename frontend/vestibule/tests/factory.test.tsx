import { act, render } from "@testing-library/react";
import { createVestibule, perInstance, type SessionState, type Vestibule } from "vestibule";
import { useAuthState, useSession, useVestibule, VestibuleProvider } from "vestibule/react";
import { describe, expect, it, vi } from "vitest";
import { startShell } from "./support/shell";
import { reply, signedIn, signedOut, stale } from "./support/states";

const Status = () => useAuthState().status;
const Name = () => useSession().data?.user.name ?? "nobody";
const Lost = () => (useVestibule() ? "found" : "");

describe("two instances", () => {
  it("each start and stop by themselves, and each keep a snapshot of their own", async () => {
    const shell = startShell(signedIn());
    const [one, two] = [createVestibule(), createVestibule()];
    await one.auth.start();
    expect(one.auth.state().status).toBe("signed_in");
    expect(two.snapshots.get().kind, "nobody has started it").toBe("waiting");
    expect(shell.called("session")).toHaveLength(1);

    await two.auth.start();
    one.snapshots.stop();
    shell.changeNow(signedOut("by_user"), "logout");
    expect(one.snapshots.get().kind, "it no longer hears anything").toBe("waiting");
    expect(two.auth.state().status).toBe("signed_out");
  });

  it("tell their own listeners only", async () => {
    startShell(signedIn());
    const [one, two] = [createVestibule(), createVestibule()];
    const [ofOne, ofTwo] = [vi.fn(), vi.fn()];
    one.auth.subscribe(ofOne);
    two.auth.subscribe(ofTwo);
    await one.auth.start();
    expect(ofOne).toHaveBeenCalled();
    expect(ofTwo).not.toHaveBeenCalled();
  });

  it("number their calls to the backend differently, because they share a window", async () => {
    const shell = startShell(signedIn());
    shell.on("backend_fetch", () => reply(200, {}));
    const [one, two] = [createVestibule(), createVestibule()];
    await Promise.all([one, two, one, two].map(({ auth }) => auth.fetch("/me")));
    const numbers = shell.called("backend_fetch").map(({ args }) => Number(args.exchange));
    expect(new Set(numbers).size).toBe(4);
    const pages = numbers.map((number) => Math.floor(number / 2 ** 20));
    expect(new Set(pages).size, "the shell sees one page").toBe(1);
  });

  it("count a duration from its arrival at each of them", async () => {
    vi.useFakeTimers();
    startShell(stale(5000));
    const [one, two] = [createVestibule(), createVestibule()];
    await one.auth.start();
    const begun = performance.now();
    vi.advanceTimersByTime(1000);
    await two.auth.start();
    const due = ({ auth }: Vestibule) => {
      const state = auth.state() as Extract<SessionState, { status: "signed_in" }>;
      return auth.dueAt(state.freshness, 5000);
    };
    expect(due(one)).toBe(begun + 5000);
    expect(due(two)).toBe(begun + 6000);
  });

  it("can be in one tree, where each part sees its own", async () => {
    startShell(signedIn());
    const [one, two] = [createVestibule(), createVestibule()];
    await one.auth.start();
    const { container } = render(
      <VestibuleProvider vestibule={one}>
        <Status /> <Name />,{" "}
        <VestibuleProvider vestibule={two}>
          <Status /> <Name />
        </VestibuleProvider>
      </VestibuleProvider>,
    );
    expect(container).toHaveTextContent("signed_in Ada Lovelace, restoring nobody");
    await act(() => two.auth.start());
    expect(container).toHaveTextContent("signed_in Ada Lovelace, signed_in Ada Lovelace");
  });
});

describe("what an app keeps for an instance", () => {
  it("is made once for each", () => {
    const make = vi.fn((vestibule: Vestibule) => ({ vestibule }));
    const held = perInstance(make);
    const [one, two] = [createVestibule(), createVestibule()];
    expect(held(one)).toBe(held(one));
    expect(held(two)).not.toBe(held(one));
    expect(held(two).vestibule).toBe(two);
    expect(make).toHaveBeenCalledTimes(2);
  });

  it("is made once also where it is nothing", () => {
    const make = vi.fn(() => undefined);
    const held = perInstance(make);
    const one = createVestibule();
    held(one);
    held(one);
    expect(make).toHaveBeenCalledOnce();
  });
});

describe("a hook outside a provider", () => {
  it("says what is missing", () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(() => render(<Lost />)).toThrow("<VestibuleProvider>");
  });
});
