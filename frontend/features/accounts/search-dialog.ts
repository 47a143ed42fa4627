"use client";

import { createStore, perInstance } from "vestibule";
import { useStore } from "vestibule/react";
import { vestibule } from "@/lib/vestibule";

// Whether the dialog that finds an account is open. Menus open it, and it outlives them.

const openOf = perInstance(() => createStore(false));

export function setSearchOpen(open: boolean): void {
  openOf(vestibule).set(open);
}

export function useSearchOpen(): boolean {
  return useStore(openOf(vestibule));
}
