"use client";

import { useEffect, useRef } from "react";
import type { BrowserButton, BrowserOffer, BrowserSignInInput } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { duration } from "@/lib/format";
import { beginBrowserSignIn, useBrowserAttempt } from "./browser-attempt";

const ALERT_ID = "browser-sign-in-failure";

/** Why the last sign-in by the browser has failed; nothing where it has not. */
export function BrowserFailure() {
  const { failure } = useBrowserAttempt();
  if (!failure) return null;
  return (
    <Alert id={ALERT_ID} tone="danger" title={failure.title}>
      {failure.text}
    </Alert>
  );
}

/** The buttons that lead to the browser, and the one for a code on another device. */
export function BrowserButtons({
  offer: { buttons, device },
  alone,
  onBegin,
}: {
  offer: BrowserOffer;
  /** Whether there is no form beside them. The first has the focus then. */
  alone: boolean;
  onBegin?: () => void;
}) {
  const { beginning, failure, wait } = useBrowserAttempt();
  const group = useRef<HTMLDivElement>(null);
  const main = buttons.length === 1 && alone ? "primary" : "secondary";

  // Set at the first render: what fails later is said while the person is here already.
  const first = useRef(failure ? placeOf(failure.chosen, buttons) : alone ? 0 : null);
  useEffect(() => {
    if (first.current === null) return;
    group.current?.querySelectorAll("button")[first.current]?.focus();
  }, []);

  function begin(chosen: BrowserSignInInput) {
    onBegin?.();
    beginBrowserSignIn(chosen);
  }

  const shared = {
    "aria-describedby": failure ? ALERT_ID : undefined,
    disabled: wait > 0,
    wraps: true,
    className: "w-full",
  };
  return (
    <div ref={group} className="space-y-2.5">
      {buttons.map((button) => {
        const { name, icon } = button;
        const busy = beginning !== null && !beginning.device && beginning.button === name;
        return (
          <Button
            key={name}
            {...shared}
            look={main}
            busy={busy}
            onClick={() => begin({ button: name })}
          >
            {icon && (
              // biome-ignore lint/performance/noImgElement: a data: address, which nothing loads
              <img src={icon} alt="" className="size-5 shrink-0 object-contain" draggable={false} />
            )}
            {labelOf(button, buttons)}
          </Button>
        );
      })}
      {device && (
        <Button
          {...shared}
          look="quiet"
          busy={beginning?.device === true}
          onClick={() => begin({ device: true })}
        >
          Use a code on another device
        </Button>
      )}
      {wait > 0 && (
        <p className="text-center text-sm text-muted">You can try again in {duration(wait)}.</p>
      )}
    </div>
  );
}

/** Between the buttons and the form. */
export function Or() {
  return (
    <div className="flex items-center gap-3 text-sm text-muted">
      <span className="h-px flex-1 bg-line" />
      or
      <span className="h-px flex-1 bg-line" />
    </div>
  );
}

/** Where the button that was used stands. */
function placeOf(chosen: BrowserSignInInput | null, buttons: BrowserButton[]): number {
  if (chosen?.device) return buttons.length;
  return Math.max(
    0,
    buttons.findIndex(({ name }) => name === chosen?.button),
  );
}

/** Our own words where a button has none; with its name where there are several such. */
function labelOf({ label, name }: BrowserButton, all: BrowserButton[]): string {
  if (label !== null) return label;
  const isOnly = all.filter((button) => button.label === null).length === 1;
  return isOnly ? "Continue in your browser" : `Continue in your browser: ${name}`;
}
