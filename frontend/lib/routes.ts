// The app's own addresses, and which of them a redirect may lead to.

export const routes = {
  home: "/",
  login: "/auth/login/",
  register: "/auth/register/",
  otp: "/auth/otp/",
  dashboard: "/dashboard/",
  payment: "/payment/",
  account: "/account/",
  admin: "/admin/",
} as const;

/** `next` as a page may follow it: a path of this app, not a sign-in page, or null. */
export function safeNext(next: string | null | undefined): string | null {
  if (!next || next.length > 2048) return null;
  if (!next.startsWith("/") || next.startsWith("//")) return null;
  // Browsers read a backslash as a slash and drop tabs and line breaks: none belongs in a path.
  if (/[\\\s]/.test(next) || hasControl(next)) return null;
  const base = "http://app.invalid";
  let url: URL;
  try {
    url = new URL(next, base);
  } catch {
    return null;
  }
  // Dot segments are resolved by now: "/./auth/login" and "/x/..//host" show what they are.
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

/** A sign-in address that leads back to `next` afterwards. */
export function withNext(path: string, next: string | null | undefined): string {
  const safe = safeNext(next);
  return safe ? `${path}?next=${encodeURIComponent(safe)}` : path;
}
