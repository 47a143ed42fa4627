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
import { AsOf, useAuthState } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { useCurrentUrl } from "./current-url";
import {
  type KeptPageState,
  NO_PAGE,
  nextPage,
  type SignInReason,
  signInReason,
} from "./kept-page-state";
import { cancelReauthentication, useReauthentication } from "./re-authenticate";

type KeptPageValue = {
  page: KeptPageState;
  /** Why a sign-in screen is shown in front of the page. */
  signInReason: SignInReason;
  /**
   * Hides the sign-in screen. Where the user's session has ended, a new page replaces the kept one.
   */
  discard: () => void;
};

const KeptPageContext = createContext<KeptPageValue>({
  page: NO_PAGE,
  signInReason: null,
  discard: () => undefined,
});

export const useKeptPage = () => useContext(KeptPageContext);

/** Keeps track of whose page this is, for the header, the banners and the page. */
export function KeptPageProvider({ children }: { children: ReactNode }) {
  const state = useAuthState();
  const url = useCurrentUrl();
  const reauthenticating = useReauthentication();
  const [page, setPage] = useState(NO_PAGE);
  const now = nextPage(page, state, url);
  // Set while rendering, so that no frame shows one user's page to the next user.
  if (now !== page) setPage(now);

  // The choice to sign in again holds on the page where it was made, and on the sign-in screens.
  useEffect(() => {
    if (!url.startsWith("/auth/")) return cancelReauthentication;
  }, [url]);

  const value: KeptPageValue = {
    page: now,
    signInReason: signInReason(now, state, url, reauthenticating),
    discard: () => {
      cancelReauthentication();
      if (state.status !== "signed_in") setPage({ ...NO_PAGE, key: now.key + 1 });
    },
  };
  return <KeptPageContext value={value}>{children}</KeptPageContext>;
}

// The paths that have a guard: without a session they have nothing to show.
const guarded = new Set<string>();

export function markGuarded(path: string): void {
  guarded.add(path);
}

export function isGuarded(path: string): boolean {
  return guarded.has(path);
}

/**
 * Renders the page, or a sign-in screen in front of it. The page behind a sign-in screen stays
 * mounted and keeps what was typed into it. It is hidden, its effects are off, and it sees the
 * state of the session in which its user was last signed in.
 */
export function KeptPage({
  SignIn,
  children,
}: {
  SignIn: ComponentType<{ keptFor: string }>;
  children: ReactNode;
}) {
  const { page, signInReason, discard } = useKeptPage();
  const url = useCurrentUrl();
  const asOf = signInReason && page.lastSignedIn ? page.lastSignedIn.state : null;
  const rememberFocus = useFocus(asOf === null, page.key);
  const path = url.split("?")[0] ?? url;
  const optional =
    signInReason === "reauthenticate" || (signInReason === "ended" && !isGuarded(path));
  return (
    <>
      <AsOf value={asOf}>
        <Activity key={page.key} mode={asOf ? "hidden" : "visible"}>
          <div ref={rememberFocus}>{children}</div>
        </Activity>
      </AsOf>
      {asOf && (
        <>
          <SignIn keptFor={asOf.user.email} />
          {optional && (
            <p className="-mt-4 pb-8 text-center">
              <Button look="quiet" size="sm" onClick={discard}>
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
function useFocus(shown: boolean, key: number) {
  const focused = useRef<{ key: number; element: HTMLElement } | null>(null);
  const wasShown = useRef(shown);
  useLayoutEffect(() => {
    if (shown && !wasShown.current && focused.current?.key === key) {
      focused.current.element.focus();
    }
    wasShown.current = shown;
  }, [shown, key]);
  return useCallback(
    (element: HTMLElement | null) => {
      const note = ({ target }: FocusEvent) => {
        if (target instanceof HTMLElement) focused.current = { key, element: target };
      };
      element?.addEventListener("focusin", note);
      return () => element?.removeEventListener("focusin", note);
    },
    [key],
  );
}
