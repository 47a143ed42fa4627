// The app's own addresses, and the check of an address that a redirect may lead to.

export const routes = {
  home: "/",
  login: "/auth/login/",
  register: "/auth/register/",
  otp: "/auth/otp/",
  browser: "/auth/browser/",
  dashboard: "/dashboard/",
  payment: "/payment/",
  account: "/account/",
  accounts: "/accounts/",
  addAccount: "/accounts/add/",
  admin: "/admin/",
} as const;

/**
 * `next` where a redirect may follow it: a path of this app that is not a sign-in page. Else null.
 */
export function safeNext(next: string | null | undefined): string | null {
  if (!next || next.length > 2048) return null;
  if (!next.startsWith("/") || next.startsWith("//")) return null;
  // Browsers read a backslash as a slash and drop tabs and line breaks, so these could hide a host.
  if (/[\\\s]/.test(next) || hasControl(next)) return null;
  const base = "http://app.invalid";
  let url: URL;
  try {
    url = new URL(next, base);
  } catch {
    return null;
  }
  // The URL has resolved dot segments, so "/./auth/login" and "/x/..//host" are recognised here.
  if (url.origin !== base || url.pathname.startsWith("//")) return null;
  if (/^\/auth(\/|$)/i.test(decoded(url.pathname))) return null;
  return url.pathname + url.search + url.hash;
}

function hasControl(text: string): boolean {
  for (const char of text) if ((char.codePointAt(0) ?? 0) < 0x20 || char === "\x7f") return true;
  return false;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The address of a sign-in page that leads to `next` afterwards. */
export function withNext(path: string, next: string | null | undefined): string {
  const safe = safeNext(next);
  return safe ? `${path}?next=${encodeURIComponent(safe)}` : path;
}
