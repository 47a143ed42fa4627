import { render, screen } from "@testing-library/react";
import { AppRouterContext } from "next/dist/shared/lib/app-router-context.shared-runtime";
import {
  PathnameContext,
  SearchParamsContext,
} from "next/dist/shared/lib/hooks-client-context.shared-runtime";
import { act } from "react";
import type { Right, SessionState } from "vestibule";
import { VestibuleProvider } from "vestibule/react";
import { describe, expect, it } from "vitest";
import { Guard } from "@/features/shell/guards";
import { auth, vestibule } from "@/lib/vestibule";
import { startShell } from "@/vestibule/tests/support/shell";
import {
  asAdmin,
  browserPending,
  otpPending,
  restoring,
  SIGNED_OUT_REASONS,
  signedIn,
  signedOut,
  stale,
} from "./support/states";

// The guard without the rest of the app. Its content does not check whether someone is signed in.

async function behindGuard(state: SessionState, may?: Right) {
  startShell(state);
  const led: string[] = [];
  const router = { replace: (to: string) => void led.push(to) } as never;
  await act(() => auth.start());
  render(
    <AppRouterContext.Provider value={router}>
      <PathnameContext.Provider value="/vault/">
        <SearchParamsContext.Provider value={new URLSearchParams("box=7")}>
          <VestibuleProvider vestibule={vestibule}>
            <Guard may={may}>
              <p>the gold</p>
            </Guard>
          </VestibuleProvider>
        </SearchParamsContext.Provider>
      </PathnameContext.Provider>
    </AppRouterContext.Provider>,
  );
  return { led, shown: screen.queryByText("the gold") };
}

describe("the guard alone", () => {
  it.each(SIGNED_OUT_REASONS)("keeps out a person who is signed out: %s", async (why) => {
    const { led, shown } = await behindGuard(signedOut(why));
    expect(shown).toBeNull();
    expect(led).toEqual(["/auth/login/?next=%2Fvault%2F%3Fbox%3D7"]);
  });

  it("keeps out a person who still has to enter a code", async () => {
    const { led, shown } = await behindGuard(otpPending());
    expect(shown).toBeNull();
    expect(led).toEqual(["/auth/otp/?next=%2Fvault%2F%3Fbox%3D7"]);
  });

  it("keeps out a person whose sign-in goes on in the browser", async () => {
    const { led, shown } = await behindGuard(browserPending());
    expect(shown).toBeNull();
    expect(led).toEqual(["/auth/browser/?next=%2Fvault%2F%3Fbox%3D7"]);
  });

  it("keeps out everyone while the session is being restored", async () => {
    expect((await behindGuard(restoring())).shown).toBeNull();
  });

  it.each([
    ["signed in", signedIn()],
    ["signed in and offline", stale()],
  ])("lets in a user who is %s", async (_name, state) => {
    const { led, shown } = await behindGuard(state);
    expect(shown).toBeVisible();
    expect(led).toEqual([]);
  });

  it.each(SIGNED_OUT_REASONS)(
    "asks the signed out to sign in, whatever it takes beside: %s",
    async (why) => {
      const { led, shown } = await behindGuard(signedOut(why), "people.see");
      expect(shown).toBeNull();
      expect(led).toEqual(["/auth/login/?next=%2Fvault%2F%3Fbox%3D7"]);
    },
  );

  it.each([
    ["without a role", signedIn()],
    ["without a role and offline", stale()],
    ["who may do something else", signedIn({ may: ["people.export"] })],
    ["with the role by name only", signedIn({ user: { roles: ["admin"] } })],
  ])("tells a user who is signed in %s that the page is not for them", async (_name, state) => {
    const { led, shown } = await behindGuard(state, "people.see");
    expect(shown).toBeNull();
    expect(led, "and leads nowhere").toEqual([]);
    expect(
      screen.getByRole("heading", { name: "This page is not for your account" }),
    ).toBeVisible();
  });

  it("lets in a user who has the right", async () => {
    const { led, shown } = await behindGuard(signedIn(asAdmin), "people.see");
    expect(shown).toBeVisible();
    expect(led).toEqual([]);
  });
});
