"use client";

import {
  Activity,
  type ComponentType,
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { Button } from "@/components/ui/button";
import { AsOf, auth } from "@/lib/auth";
import { forgetSigningInAgain, useSignInAgain } from "./again";
import { useHere } from "./here";
import { type Front, follow, front, type Tenancy, VACANT } from "./tenancy";

type Place = {
  tenancy: Tenancy;
  /** Why a sign-in screen is shown in front of the page. */
  front: Front;
  /** Hides the sign-in screen. Where the user's session has ended, a new page replaces the kept one. */
  letGo: () => void;
};

const PlaceContext = createContext<Place>({
  tenancy: VACANT,
  front: null,
  letGo: () => undefined,
});

export const usePlace = () => useContext(PlaceContext);

/** Keeps track of whose page this is, for the header, the banners and the page. */
export function PlaceProvider({ children }: { children: ReactNode }) {
  const state = auth.useAuthState();
  const here = useHere();
  const again = useSignInAgain();
  const [tenancy, setTenancy] = useState(VACANT);
  const now = follow(tenancy, state, here);
  // Set while rendering, so that no frame shows one user's page to the next user.
  if (now !== tenancy) setTenancy(now);

  // The choice to sign in again holds on the page where it was made, and on the sign-in screens.
  useEffect(() => {
    if (!here.startsWith("/auth/")) return forgetSigningInAgain;
  }, [here]);

  const place: Place = {
    tenancy: now,
    front: front(now, state, here, again),
    letGo: () => {
      forgetSigningInAgain();
      if (state.status !== "signed_in") setTenancy({ ...VACANT, lease: now.lease + 1 });
    },
  };
  return <PlaceContext value={place}>{children}</PlaceContext>;
}

// The paths that have a guard: without a session they have nothing to show.
const guarded = new Set<string>();

export function noteGuarded(path: string): void {
  guarded.add(path);
}

export function isGuarded(path: string): boolean {
  return guarded.has(path);
}

/**
 * Renders the page, or a sign-in screen in front of it. The page behind a sign-in screen stays mounted
 * and keeps what was typed into it. It is hidden, its effects are off, and it sees the state of the
 * session in which its user was last signed in.
 */
export function KeptPage({
  SignIn,
  children,
}: {
  SignIn: ComponentType<{ keptFor: string }>;
  children: ReactNode;
}) {
  const { tenancy, front, letGo } = usePlace();
  const here = useHere();
  const asOf = front && tenancy.seen ? tenancy.seen.state : null;
  const noteFocus = useFocus(asOf === null, tenancy.lease);
  const path = here.split("?")[0] ?? here;
  const optional = front === "again" || (front === "ended" && !isGuarded(path));
  return (
    <>
      <AsOf value={asOf}>
        <Activity key={tenancy.lease} mode={asOf ? "hidden" : "visible"}>
          <div ref={noteFocus}>{children}</div>
        </Activity>
      </AsOf>
      {asOf && (
        <>
          <SignIn keptFor={asOf.user.email} />
          {optional && (
            <p className="-mt-4 pb-8 text-center">
              <Button look="quiet" size="sm" onClick={letGo}>
                Not now
              </Button>
            </p>
          )}
        </>
      )}
    </>
  );
}

/** Restores the focus in the page when the page is shown again. */
function useFocus(shown: boolean, lease: number) {
  const focused = useRef<{ lease: number; element: HTMLElement } | null>(null);
  const wasShown = useRef(shown);
  useLayoutEffect(() => {
    if (shown && !wasShown.current && focused.current?.lease === lease) {
      focused.current.element.focus();
    }
    wasShown.current = shown;
  }, [shown, lease]);
  return useCallback(
    (page: HTMLElement | null) => {
      const note = ({ target }: FocusEvent) => {
        if (target instanceof HTMLElement) focused.current = { lease, element: target };
      };
      page?.addEventListener("focusin", note);
      return () => page?.removeEventListener("focusin", note);
    },
    [lease],
  );
}
