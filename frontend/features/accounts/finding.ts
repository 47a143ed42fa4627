"use client";

import { createStore, perInstance } from "vestibule";
import { useStore } from "vestibule/react";
import { vestibule } from "@/lib/vestibule";

// Whether the dialog that finds an account is open. Menus open it, and it outlives them.

const findingOf = perInstance(() => createStore(false));

export function setFinding(open: boolean): void {
  findingOf(vestibule).set(open);
}

export function useFinding(): boolean {
  return useStore(findingOf(vestibule));
}
