// What the window can ask of the desktop that is not about the session.

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
  /** The page has mounted and may be shown. Failing is harmless: the shell shows it anyway. */
  windowReady: () => {
    commands.windowReady().catch(() => undefined);
  },
  newWindow: commands.newWindow,
  appInfo: commands.appInfo,
  /** Content for everyone, at the addresses that a capability lists, without the session. */
  publicFetch,
  theme: commands.theme,
  setTheme: commands.setTheme,
  setReports: commands.setReports,
  /** Shows it in the system's file manager. */
  openLogFolder: commands.openLogFolder,
  /** Writes the list of people into the downloads folder; refused without the permission. */
  exportPeople: commands.exportPeople,
};
