"use client";

import { useId, useRef, useState } from "react";
import type { BrowserSignIn, DeviceCode as Code } from "vestibule";
import { Button } from "@/components/ui/button";
import { QrCode } from "@/components/ui/qr-code";
import { LateSpinner } from "@/components/ui/spinner";
import { shortcut } from "@/lib/shortcut";
import { PendingSignIn } from "./pending-sign-in";

/** Shown until the provider has given a code, which can be given up too. */
export function DeviceCodeComing({ signIn }: { signIn: BrowserSignIn }) {
  return (
    <PendingSignIn
      signIn={signIn}
      title="Sign in on another device"
      lead={<p>The code to type there comes in a moment.</p>}
      again="Get a new code"
    >
      <p role="status" className="flex items-center gap-2 text-sm text-muted">
        <LateSpinner /> Asking for a code…
      </p>
    </PendingSignIn>
  );
}

/** Shown while a person signs in on another device: the code, and where to type it. */
export function DeviceCode({ signIn, device }: { signIn: BrowserSignIn; device: Code }) {
  const { code, address, completeAddress } = device;
  const id = useId();
  const text = useRef<HTMLParagraphElement>(null);
  const [said, setSaid] = useState<string | null>(null);

  async function copy() {
    try {
      await navigator.clipboard.writeText(code);
      setSaid("Copied.");
    } catch {
      // The engine gives pages no clipboard here.
      if (text.current) window.getSelection()?.selectAllChildren(text.current);
      setSaid(`The code is selected. Copy it with ${shortcut("C")}.`);
    }
  }

  return (
    <PendingSignIn
      signIn={signIn}
      title="Sign in on another device"
      lead={
        <p>
          {completeAddress === null
            ? "Scan the QR code with a phone, or open the address on any device, and type the code there."
            : "Scan the QR code with a phone, or open the address on any device and type the code there. Go on only if it shows the same code."}{" "}
          This window then goes on by itself.
        </p>
      }
      again="Get a new code"
    >
      <div className="space-y-5">
        <div>
          <p id={`${id}-code`} className="text-sm text-muted">
            Code
          </p>
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
          <div role="group" aria-labelledby={`${id}-code`}>
            <p
              ref={text}
              className="font-mono text-3xl font-semibold tracking-wider break-all select-all"
            >
              {code}
            </p>
          </div>
          <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1.5">
            <Button look="secondary" size="sm" onClick={() => void copy()}>
              Copy the code
            </Button>
            <p role="status" className="text-sm text-muted">
              {said}
            </p>
          </div>
        </div>
        <div>
          <p id={`${id}-address`} className="text-sm text-muted">
            Address
          </p>
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
          <div role="group" aria-labelledby={`${id}-address`}>
            <p className="font-medium break-all select-all">{address}</p>
          </div>
        </div>
        <QrCode text={completeAddress ?? address} label={`QR code of ${address}`} />
      </div>
    </PendingSignIn>
  );
}
