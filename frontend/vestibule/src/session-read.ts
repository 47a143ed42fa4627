// What `auth.getSession()` and `useSession()` have as their data: the user and the session, or null.

import type { SessionInfo, SessionState, User } from "./ipc/wire.ts";

export type SessionRead = { user: User; session: SessionInfo };

/**
 * Makes a reader that returns the same object for equal states, so that components do not render
 * again without need.
 */
export function createSessionReader() {
  let last: { json: string; read: SessionRead } | null = null;
  return (state: SessionState): SessionRead | null => {
    if (state.status !== "signed_in") return null;
    const read = { user: state.user, session: state.session };
    const json = JSON.stringify(read);
    if (last?.json !== json) last = { json, read };
    return last.read;
  };
}
