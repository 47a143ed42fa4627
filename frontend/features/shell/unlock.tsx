"use client";

import { useState } from "react";
import { Button, type ButtonProps } from "@/components/ui/button";
import { auth } from "@/lib/auth";
import type { Trouble } from "@/lib/keyring";

/** Makes the app try the keyring at once, which may make the keyring ask for its password. */
export function useUnlock() {
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  return {
    busy,
    /** It was tried; if the trouble is still there, that was of no use. */
    tried: tried && !busy,
    unlock: async () => {
      setBusy(true);
      // What comes of it is seen in the state.
      const { error } = await auth.unlockKeyring();
      if (error?.code === "busy" && error.retryAfterMs !== null) {
        // The shell does not let a page ask again and again; a person's second click may wait.
        await new Promise((waited) => setTimeout(waited, error.retryAfterMs ?? 0));
        await auth.unlockKeyring();
      }
      setBusy(false);
      setTried(true);
    },
  };
}

export function Unlock({
  trouble,
  busy,
  unlock,
  ...rest
}: { trouble: Trouble; busy: boolean; unlock: () => Promise<void> } & ButtonProps) {
  if (!trouble.action) return null;
  return (
    <Button look="secondary" size="sm" {...rest} busy={busy} onClick={() => void unlock()}>
      {trouble.action}
    </Button>
  );
}
