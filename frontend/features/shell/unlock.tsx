"use client";

import { useState } from "react";
import type { KeyringNotice } from "vestibule";
import { Button, type ButtonProps } from "@/components/ui/button";
import { delay } from "@/lib/clock";
import { auth } from "@/lib/vestibule";

/** Makes the app try the keyring at once. The keyring may then ask for its password. */
export function useUnlock() {
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  return {
    busy,
    /** Whether it was tried. If the problem is still there, the try has failed. */
    tried: tried && !busy,
    unlock: async () => {
      setBusy(true);
      // The result is in the state.
      const { error } = await auth.unlockKeyring();
      if (error?.code === "busy" && error.retryAfterMs !== null) {
        // The shell allows one call in some seconds, so a second click waits and then tries again.
        await delay(error.retryAfterMs);
        await auth.unlockKeyring();
      }
      setBusy(false);
      setTried(true);
    },
  };
}

export function Unlock({
  notice,
  busy,
  unlock,
  ...rest
}: { notice: KeyringNotice; busy: boolean; unlock: () => Promise<void> } & ButtonProps) {
  if (!notice.action) return null;
  return (
    <Button look="secondary" size="sm" {...rest} busy={busy} onClick={() => void unlock()}>
      {notice.action}
    </Button>
  );
}
