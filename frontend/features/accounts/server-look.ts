"use client";

import { useRef, useState } from "react";
import type { AuthError, FoundWorkspace } from "vestibule";
import { accounts } from "@/lib/vestibule";

export type ServerLook =
  | { step: "typing"; failure: AuthError | null }
  | { step: "looking" }
  | { step: "found"; found: FoundWorkspace };

/** A look at an address. A cancelled look may still be answered, and the answer is ignored. */
export function useServerLook() {
  const [look, setLook] = useState<ServerLook>({ step: "typing", failure: null });
  const asked = useRef(0);

  function type() {
    asked.current += 1;
    setLook({ step: "typing", failure: null });
  }

  async function lookAt(address: string) {
    asked.current += 1;
    const mine = asked.current;
    setLook({ step: "looking" });
    const { data, error } = await accounts.lookAt(address);
    if (mine !== asked.current) return;
    setLook(error ? { step: "typing", failure: error } : { step: "found", found: data });
  }

  return { look, lookAt, cancel: type };
}
