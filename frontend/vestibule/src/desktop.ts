// The commands that are not about the session.

import {
  type AppInfo,
  commands,
  type Exported,
  type PolicyInfo,
  publicFetch,
  type Theme,
} from "./native";

export type { AppInfo, Exported, PolicyInfo, Theme };

export const desktop = {
  /**
   * Tells the shell to show the window. A failure is harmless: the shell shows it after a moment.
   */
  windowReady: () => {
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
  /** Writes the list of accounts to the downloads folder. Refused without the right. */
  exportPeople: commands.exportPeople,
};
