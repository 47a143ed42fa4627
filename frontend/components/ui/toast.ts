"use client";

import type { ExternalToast } from "sonner";
import { createPart } from "@/lib/part";

// Short messages in a corner of the window. What shows them is loaded later, and they wait for it.

type Shown = typeof import("./toasts").toast;
type Work = (shown: Shown) => void;
type Options = Pick<ExternalToast, "duration" | "action">;

/** What shows the messages. */
export const toastsPart = createPart(() => import("./toasts"));

let waiting: Work[] = [];
toastsPart.subscribe(() => {
  const state = toastsPart.get();
  if (state.kind !== "loaded") return;
  const all = waiting;
  waiting = [];
  for (const show of all) show(state.value.toast);
});

/** Whether a message waits for what shows it. */
export function isToastWaiting(): boolean {
  return waiting.length > 0;
}

function whenLoaded(show: Work): void {
  const state = toastsPart.get();
  if (state.kind === "loaded") {
    show(state.value.toast);
  } else {
    waiting.push(show);
    void toastsPart.load();
  }
}

export function toast(text: string, options?: Options): void {
  whenLoaded((shown) => shown(text, options));
}

toast.error = (text: string): void => whenLoaded((shown) => shown.error(text));

/** Takes all messages away. */
toast.dismiss = (): void => {
  waiting = [];
  const state = toastsPart.get();
  if (state.kind === "loaded") state.value.toast.dismiss();
};
