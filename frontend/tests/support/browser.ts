import type { BackendFeatures, BrowserButton, SessionState } from "vestibule";
import { startShell } from "@/vestibule/tests/support/shell";

export const google: BrowserButton = {
  name: "google",
  label: "Continue with Google",
  icon: "data:image/png;base64,iVBORw0KGgo=",
};
export const unnamed: BrowserButton = { name: "browser", label: null, icon: null };

/** What a backend offers that has sign-in by the browser, beside a password. */
export function byBrowser(
  buttons: BrowserButton[] = [google],
  more: Partial<BackendFeatures> & { device?: boolean } = {},
): Partial<BackendFeatures> {
  const { device = false, ...offers } = more;
  return { browser: { buttons, device }, ...offers };
}

/** A shell in which each sign-in by the browser stays pending until the test ends it. */
export function startBrowserShell(initial: SessionState, offers = byBrowser()) {
  const shell = startShell(initial, offers);
  const ends: { resolve: (outcome: unknown) => void; reject: (error: unknown) => void }[] = [];
  shell.on(
    "sign_in_by_browser",
    () => new Promise((resolve, reject) => void ends.push({ resolve, reject })),
  );
  return {
    ...shell,
    /** The inputs of the sign-ins that were begun. */
    begun: () => shell.called("sign_in_by_browser").map(({ args }) => args.input),
    ends,
  };
}
