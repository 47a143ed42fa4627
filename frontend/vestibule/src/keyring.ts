// What the state of the keyring means for the session, and what a person can do about it.

import type { SessionState, StorageStatus } from "./ipc/wire.ts";
import type { BlockedStorage, Words } from "./words.ts";

export type KeyringNotice = {
  title: string;
  text: string;
  /**
   * The label of the button that makes the app try the keyring again; null where that cannot help.
   */
  action: string | null;
  /** The text after another try has failed. */
  still: string;
  /**
   * Whether the session cannot be used until the problem is solved. Otherwise this is a warning.
   */
  blocks: boolean;
};

/**
 * Whether the session's token is in a keyring that cannot be read now, so nobody knows if it is
 * valid.
 */
export function isBehindKeyring(
  state: SessionState,
): state is SessionState & { storage: BlockedStorage } {
  if (state.storage === "ok") return false;
  if (state.status === "restoring") return true;
  return state.status === "signed_in" && state.freshness.kind === "stale" && state.remembered;
}

/** The problem with how the session is kept; null where there is none. */
export function keyringNotice(state: SessionState, words: Words): KeyringNotice | null {
  const blocks = isBehindKeyring(state);
  if (!blocks && (state.status !== "signed_in" || state.remembered)) return null;
  const { title, text } = blocks
    ? words.keyringBlocked[state.storage]
    : words.keyringUnsaved[state.storage];
  return { title, text, ...help(state.storage, blocks, words), blocks };
}

/** What another try is called, and what is said where it has failed too. */
function help(
  storage: StorageStatus,
  blocks: boolean,
  { keyringActions: words }: Words,
): Pick<KeyringNotice, "action" | "still"> {
  switch (storage) {
    case "locked":
      return { action: words.unlock, still: words.stillLocked };
    case "absent":
      return { action: words.tryAgain, still: words.stillAbsent };
    case "memory_only":
      return { action: words.tryAgain, still: words.stillRefused };
    case "too_large":
    case "ok":
      // Such an item cannot be written in another try either, but a later read may succeed.
      return blocks
        ? { action: words.tryAgain, still: words.stillRefused }
        : { action: null, still: "" };
    case "newer":
      return { action: null, still: "" };
  }
}
