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
  /** Why a sign-in screen stands in front of the page. */
  front: Front;
  /** Goes on without whoever the page waited for: with a new page, if they are gone. */
  letGo: () => void;
};

const PlaceContext = createContext<Place>({
  tenancy: VACANT,
  front: null,
  letGo: () => undefined,
});

export const usePlace = () => useContext(PlaceContext);

/** Follows whose page this is; for the header and the banners as for the page. */
export function PlaceProvider({ children }: { children: ReactNode }) {
  const state = auth.useAuthState();
  const here = useHere();
  const again = useSignInAgain();
  const [tenancy, setTenancy] = useState(VACANT);
  const now = follow(tenancy, state, here);
  // While rendering, so that no frame shows the page to the next one.
  if (now !== tenancy) setTenancy(now);

  // The wish belongs to the page it was made at, or to the sign-in screens.
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

// Paths that a guard has been seen at: there is nothing to show there without a session.
const guarded = new Set<string>();

export function noteGuarded(path: string): void {
  guarded.add(path);
}

export function isGuarded(path: string): boolean {
  return guarded.has(path);
}

/**
 * The page; or a sign-in screen in front of it, while the page waits: still mounted, with all that
 * was typed into it, but hidden, without effects, and in the belief that nothing has happened.
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

/** Gives the focus back to where it was in the page when the page is shown again. */
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
