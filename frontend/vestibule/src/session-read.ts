// What `auth.getSession()` and `useSession()` have as their data: the user and the session, or null.

import type { SessionInfo, SessionState, User } from "./ipc/wire.ts";

export type SessionRead = { user: User; session: SessionInfo };

/**
 * Makes a reader that returns the same object for equal states, so that components do not render
 * again without need. It compares a state with the one before only once: no state changes after it
 * has arrived.
 */
export function createSessionReader() {
  const reads = new WeakMap<SessionState, SessionRead>();
  let last: { json: string; read: SessionRead } | null = null;
  return (state: SessionState): SessionRead | null => {
    if (state.status !== "signed_in") return null;
    const known = reads.get(state);
    if (known) return known;
    const read = { user: state.user, session: state.session };
    const json = JSON.stringify(read);
    if (last?.json !== json) last = { json, read };
    reads.set(state, last.read);
    return last.read;
  };
}
