"use client";

import { useState } from "react";
import type { BrowserSignIn, Result } from "vestibule";
import { useFeatures } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { LateSpinner } from "@/components/ui/spinner";
import { delay, useElapsed, useLasting } from "@/lib/clock";
import { auth, messages } from "@/lib/vestibule";
import { beginBrowserSignIn, useBrowserAttempt } from "./browser-attempt";
import { BrowserFailure } from "./browser-buttons";
import { PendingSignIn, SigningIn } from "./pending-sign-in";

/** A browser that was not opened within this time is said to be none that can be opened. */
const OPENING_MS = 3_000;
const HINT_MS = 30_000;
/** A sign-in that takes no longer once the browser is back needs no screen for it. */
const RETURN_MS = 300;
/** A double click asks once. */
const PAUSE_MS = 1_000;

/** Shown while a person signs in in the system's browser. */
export function BrowserWaiting({ signIn }: { signIn: BrowserSignIn }) {
  const isBack = useLasting(signIn.returned, RETURN_MS);
  return isBack ? <SigningIn /> : <Waiting signIn={signIn} />;
}

function Waiting({ signIn }: { signIn: BrowserSignIn }) {
  const { opened, label, redirect } = signIn;
  const { browser } = useFeatures();
  const { beginning, failure } = useBrowserAttempt();
  const isLate = useElapsed(OPENING_MS);
  const hinted = useElapsed(HINT_MS);
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const say = (text: string) => setSaid({ text, bad: false });
  const run = {
    onStart: () => setSaid(null),
    onError: (text: string) => setSaid({ text, bad: true }),
  };
  const open = useCommand(auth.openBrowserAgain, {
    ...run,
    onDone: () => {
      if (isOpened()) say("The page was opened again.");
    },
  });
  const copy = useCommand(auth.copyBrowserAddress, {
    ...run,
    onDone: () => say("Copied. Paste it into the address bar of a browser on this computer."),
  });
  const cannotOpen = !opened && isLate;

  const openAgain = (
    <Button key="open" look="secondary" className="w-full" busy={open.busy} onClick={open.start}>
      Open again
    </Button>
  );
  const copyAddress = (
    <Button
      key="copy"
      look={cannotOpen ? "primary" : "quiet"}
      className="w-full"
      busy={copy.busy}
      onClick={copy.start}
    >
      Copy the address
    </Button>
  );
  return (
    <PendingSignIn
      signIn={signIn}
      title="Continue in your browser"
      lead={
        <>
          {label !== null && (
            <p>
              You have chosen <strong className="font-medium text-ink">{label}</strong>.
            </p>
          )}
          <p>Sign in on the page in your browser. This window then goes on by itself.</p>
        </>
      }
      again="Start again"
    >
      <div className="space-y-4">
        {!opened && !isLate && (
          <p role="status" className="flex items-center gap-2 text-sm text-muted">
            <LateSpinner /> Opening your browser…
          </p>
        )}
        {cannotOpen && (
          <Alert tone="warning" title="Your browser could not be opened">
            Copy the address, and paste it into the address bar of a browser on this computer.
          </Alert>
        )}
        <div className="space-y-2">
          {cannotOpen ? [copyAddress, openAgain] : [openAgain, copyAddress]}
          {cannotOpen && browser?.device && (
            <Button
              key="code"
              look="quiet"
              className="w-full"
              busy={beginning?.device === true}
              onClick={() => beginBrowserSignIn({ device: true })}
            >
              Use a code instead
            </Button>
          )}
        </div>
        {failure && <BrowserFailure />}
        <p role="status" className={said?.bad ? "text-sm text-danger-text" : "text-sm text-muted"}>
          {said?.text}
        </p>
        {redirect === "scheme" && <PasteLink />}
        {/* Below the buttons, so that none moves from under the pointer. */}
        {hinted && !cannotOpen && (
          <Alert title="Nothing happened?">
            The window of your browser may be behind this one. If it shows no page to sign in on,
            open it again, or copy its address into a browser on this computer.
          </Alert>
        )}
      </div>
    </PendingSignIn>
  );
}

/** For a system that does not hand the app's links over: the person pastes the one that the browser shows. */
function PasteLink() {
  const [link, setLink] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>();

  async function open() {
    if (busy) return;
    if (link.trim() === "") return setError("Paste the link from your browser.");
    setBusy(true);
    setError(undefined);
    const opened = await auth.openLink(link);
    setBusy(false);
    if (opened.error) return setError(messages.describe(opened.error));
    // The screen goes away with the sign-in. What asks to join a server leads back to none.
    if (opened.data.kind !== "sign_in") setError("This link does not lead back to the sign-in.");
  }

  return (
    <form
      noValidate
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        void open();
      }}
    >
      <Field
        label="Paste the link"
        hint="Only if the browser is done and this window does not go on: copy the link that it shows or tries to open."
        error={error}
      >
        {(control) => (
          <Input
            {...control}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={link}
            onChange={(event) => {
              setLink(event.target.value);
              setError(undefined);
            }}
          />
        )}
      </Field>
      <Button type="submit" look="secondary" size="sm" busy={busy}>
        Open the link
      </Button>
    </form>
  );
}

function isOpened(): boolean {
  const state = auth.state();
  return state.status === "browser_pending" && state.signIn.opened;
}

/** Runs a command, one call at a time. */
function useCommand(
  command: () => Promise<Result<null>>,
  told: { onStart: () => void; onDone: () => void; onError: (text: string) => void },
) {
  const [busy, setBusy] = useState(false);
  async function start() {
    setBusy(true);
    told.onStart();
    const pause = delay(PAUSE_MS);
    const { error } = await command();
    if (!error) told.onDone();
    // Else the screen goes away, as the person wants it.
    else if (error.code !== "browser_sign_in_over") told.onError(messages.describe(error));
    await pause;
    setBusy(false);
  }
  return { busy, start: () => void start() };
}
