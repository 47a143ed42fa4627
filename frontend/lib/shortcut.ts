/** How the system writes a shortcut: "⌘N" or "Ctrl+N". */
export function shortcut(key: string): string {
  return /mac/i.test(navigator.platform) ? `⌘${key}` : `Ctrl+${key}`;
}
