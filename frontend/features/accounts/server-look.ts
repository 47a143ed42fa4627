"use client";

import { useRef, useState } from "react";
import type { AuthError, FoundWorkspace } from "vestibule";
import { delay } from "@/lib/clock";
import { accounts, auth } from "@/lib/vestibule";

type ServerLook =
  | { step: "typing"; failure: AuthError | null }
  | { step: "looking" }
  | { step: "found"; found: FoundWorkspace };

/** Whether a text is a link and no address of a server: it has another scheme than those of the web. */
export function isLink(text: string): boolean {
  return /^\s*(?!https?:)[a-z][a-z\d+.-]*:\//i.test(text);
}

/** A look at an address. A cancelled look may still be answered, and the answer is ignored. */
export function useServerLook() {
  const [look, setLook] = useState<ServerLook>({ step: "typing", failure: null });
  const asked = useRef(0);

  function cancel() {
    asked.current += 1;
    setLook({ step: "typing", failure: null });
  }

  async function lookAt(address: string) {
    asked.current += 1;
    const mine = asked.current;
    setLook({ step: "looking" });
    let { data, error } = await accounts.lookAt(address);
    // The plugin asks the person before each look. After a refusal it asks again only after a while.
    while (error?.code === "busy" && error.retryAfterMs !== null && mine === asked.current) {
      await delay(error.retryAfterMs);
      if (mine === asked.current) ({ data, error } = await accounts.lookAt(address));
    }
    if (mine !== asked.current) return;
    if (data) setLook({ step: "found", found: data });
    else setLook({ step: "typing", failure: error });
  }

  /** Opens a link that was pasted. The address of the server that it names; null where it names none. */
  async function openLink(link: string): Promise<string | null> {
    asked.current += 1;
    const mine = asked.current;
    setLook({ step: "looking" });
    const { data, error } = await auth.openLink(link);
    if (mine !== asked.current) return null;
    setLook({ step: "typing", failure: error });
    return data?.kind === "join" ? data.address : null;
  }

  return { look, lookAt, openLink, cancel };
}
