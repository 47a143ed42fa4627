"use client";

import { usePartState } from "@/lib/part";
import { NotLoaded } from "./on-demand";
import { isToastWaiting, toastsPart } from "./toast";

/** The place of the messages of `toast`. */
export function Toaster() {
  const state = usePartState(toastsPart);
  if (state.kind === "loaded") return <state.value.Toasts />;
  const isMissed = state.kind === "failed" && isToastWaiting();
  return isMissed && <NotLoaded retry={() => void toastsPart.load()} />;
}
