// What the plugin offers to every page beside the session.

import type { PublicFetch } from "./fetch/public-fetch.ts";
import { commands } from "./ipc/commands.ts";
import { callApp } from "./ipc/ipc.ts";

export type Desktop = ReturnType<typeof createDesktop>;

export function createDesktop(publicFetch: PublicFetch) {
  return {
    /**
     * Tells the plugin to show the window. A failure is harmless: the plugin shows it after a moment.
     */
    windowReady: (): void => {
      commands.windowReady().catch(() => undefined);
    },
    newWindow: commands.newWindow,
    appInfo: commands.appInfo,
    /** Fetches public content without the session, from the addresses that a capability lists. */
    publicFetch,
    theme: commands.theme,
    setTheme: commands.setTheme,
    setReports: commands.setReports,
    /** Shows the log's folder in the system's file manager. */
    openLogFolder: commands.openLogFolder,
    /** Calls a command of the app's own. Rejects with a `NativeError`, as all commands do. */
    invoke: callApp,
  };
}
