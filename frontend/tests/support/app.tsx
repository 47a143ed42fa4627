// The app as a user sees it: the real pages in the real frame. A router that keeps its address in
// memory replaces Next's.

import { act, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import {
  AppRouterContext,
  type AppRouterInstance,
} from "next/dist/shared/lib/app-router-context.shared-runtime";
import {
  PathnameContext,
  SearchParamsContext,
} from "next/dist/shared/lib/hooks-client-context.shared-runtime";
import { type ComponentType, useMemo, useState } from "react";
import { vi } from "vitest";
import Account from "@/app/account/page";
import AddAccount from "@/app/accounts/add/page";
import Accounts from "@/app/accounts/page";
import Admin from "@/app/admin/page";
import { AppFrame } from "@/app/app-frame";
import Browser from "@/app/auth/browser/page";
import Login from "@/app/auth/login/page";
import Otp from "@/app/auth/otp/page";
import Register from "@/app/auth/register/page";
import Dashboard from "@/app/dashboard/page";
import NotFound from "@/app/not-found";
import Home from "@/app/page";
import Payment from "@/app/payment/page";
import { accounts, auth } from "@/lib/vestibule";

const PAGES: Record<string, ComponentType> = {
  "/": Home,
  "/auth/login/": Login,
  "/auth/register/": Register,
  "/auth/otp/": Otp,
  "/auth/browser/": Browser,
  "/dashboard/": Dashboard,
  "/payment/": Payment,
  "/account/": Account,
  "/accounts/": Accounts,
  "/accounts/add/": AddAccount,
  "/admin/": Admin,
};

export type Visit = {
  current: string;
  visited: string[];
  /** Whether the router never gets to another page. */
  isStuck: boolean;
  go: (to: string) => void;
};

export function App({ at, visit }: { at: string; visit: Visit }) {
  const [address, setAddress] = useState(at);
  const url = new URL(address, "http://app.invalid");
  const router = useMemo<AppRouterInstance>(() => {
    const go = (to: string) => {
      visit.current = to;
      visit.visited.push(to);
      if (visit.isStuck) return;
      // As with Next's router, the old page stays for a moment after a redirect.
      queueMicrotask(() => setAddress(to));
    };
    visit.go = go;
    return {
      push: go,
      replace: go,
      prefetch: () => undefined,
      refresh: () => undefined,
      back: () => undefined,
      forward: () => undefined,
    } as unknown as AppRouterInstance;
  }, [visit]);
  const Page = PAGES[url.pathname] ?? NotFound;
  const query = useMemo(() => new URLSearchParams(url.search), [url.search]);
  return (
    <AppRouterContext.Provider value={router}>
      <PathnameContext.Provider value={url.pathname}>
        <SearchParamsContext.Provider value={query}>
          <AppFrame>
            <Page key={url.pathname} />
          </AppFrame>
        </SearchParamsContext.Provider>
      </PathnameContext.Provider>
    </AppRouterContext.Provider>
  );
}

export function newVisit(at: string): Visit {
  return { current: at, visited: [], isStuck: false, go: () => undefined };
}

/** Opens the app at an address. A shell must have been started before. */
export async function openApp(at: string, { fakeTimers = false } = {}) {
  const visit = newVisit(at);
  const user = userEvent.setup(
    fakeTimers ? { advanceTimers: (ms) => void vi.advanceTimersByTime(ms) } : {},
  );
  void auth.start();
  void accounts.start();
  const view = render(<App at={at} visit={visit} />);
  await act(async () => undefined);
  return { user, visit, view, go: (to: string) => act(async () => visit.go(to)) };
}
