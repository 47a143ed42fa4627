"use client";

import { useEffect, useId, useRef, useState } from "react";
import type { AuthError, Challenge } from "vestibule";
import { useAuthState, useFeatures } from "vestibule/react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { CodeInput } from "@/components/ui/code-input";
import { momentNow, useCountdown } from "@/lib/clock";
import { duration } from "@/lib/format";
import { auth, messages } from "@/lib/vestibule";
import { consistsOf, nameOfCode, readCode } from "./code";
import { leaveNotice } from "./notice";
import { useFailure } from "./use-failure";

export function OtpScreen() {
  const state = useAuthState();
  if (state.status !== "otp_pending") return null;
  // A challenge may come after another: each has a form of its own.
  return <CodeEntry key={state.challenge.id} challenge={state.challenge} />;
}

function CodeEntry({ challenge }: { challenge: Challenge }) {
  const [code, setCode] = useState("");
  const [checking, setChecking] = useState(false);
  const [misfits, setMisfits] = useState(false);
  const { resendOtp, code: form } = useFeatures();
  const { failure, wait, fail, clear } = useFailure("code");
  const field = useRef<HTMLInputElement>(null);
  const hintId = useId();

  useEffect(() => field.current?.focus(), []);

  /** The code in what was typed or pasted. Nothing is cut: what does not fit is said. */
  function read(text: string): string {
    const { code: found, stray } = readCode(text, form);
    const long = found.length > form.length;
    setMisfits(stray || long);
    return long ? "" : found;
  }

  async function verify(entered: string) {
    if (checking || wait > 0) return;
    setChecking(true);
    setMisfits(false);
    clear();
    const { error } = await auth.verifyOtp(challenge.id, entered);
    // The code was accepted. The guard redirects when the new state arrives.
    if (!error) return;
    setChecking(false);
    if (error.code === "challenge_over") return startOver(error, challenge);
    fail(error);
    if (error.code === "otp_invalid") setCode("");
    field.current?.focus();
  }

  return (
    <CardPage
      title="Enter the code"
      lead={
        <p id={hintId}>
          <Lead email={challenge.email} sent={resendOtp} what={consistsOf(form)} />
        </p>
      }
      below={<Cancel />}
    >
      <form
        noValidate
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (code.length === form.length) return void verify(code);
          setMisfits(true);
          field.current?.focus();
        }}
      >
        {failure && (
          <Alert tone="danger" title="The code was not accepted">
            {messages.describe(failure)}
          </Alert>
        )}
        {misfits && !failure && (
          <Alert tone="warning" title={`The code has ${consistsOf(form)}.`} />
        )}
        <CodeInput
          ref={field}
          label={nameOfCode(form)}
          length={form.length}
          letters={form.letters}
          read={read}
          describedBy={hintId}
          value={code}
          invalid={failure?.code === "otp_invalid"}
          onChange={(value) => {
            if (!checking) setCode(value);
          }}
          onComplete={(value: string) => void verify(value)}
        />
        <Button type="submit" busy={checking} disabled={wait > 0} className="w-full">
          {wait > 0 ? `Try again in ${duration(wait)}` : checking ? "Checking…" : "Continue"}
        </Button>
      </form>
      {resendOtp && (
        <Resend
          challenge={challenge}
          onSent={() => {
            setCode("");
            // The button is disabled for a while, and the new code is typed in this field.
            field.current?.focus();
          }}
        />
      )}
    </CardPage>
  );
}

/**
 * Where to find the code. A server that cannot send codes expects one from an authenticator app.
 */
function Lead({ email, sent, what }: { email: string; sent: boolean; what: string }) {
  const whose = <strong className="font-medium text-ink">{email}</strong>;
  if (!sent)
    return (
      <>
        Take the {what} for {whose} from your authenticator app.
      </>
    );
  return (
    <>
      We sent {what} to {whose}. If you use an authenticator app, take the code from there.
    </>
  );
}

/**
 * Leads back to the sign-in screen, which shows why. The shell has usually dropped the challenge.
 */
function startOver(error: AuthError, { email }: Challenge) {
  leaveNotice({ tone: "warning", text: messages.describe(error), email });
  if (auth.state().status === "otp_pending") void auth.cancelOtp();
}

function Resend({ challenge, onSent }: { challenge: Challenge; onSent: () => void }) {
  const [sending, setSending] = useState(false);
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const [until, setUntil] = useState<number | null>(null);
  const wait = useCountdown(Math.max(auth.dueAt(challenge, challenge.resendInMs) ?? 0, until ?? 0));

  async function resend() {
    setSending(true);
    setSaid(null);
    const { error } = await auth.resendOtp();
    setSending(false);
    if (!error) {
      onSent();
      return setSaid({ text: "A new code is on its way. Older codes no longer work.", bad: false });
    }
    if (error.code === "challenge_over") return startOver(error, challenge);
    if (error.retryAfterMs !== null) setUntil(momentNow() + error.retryAfterMs);
    setSaid({ text: messages.describe(error), bad: true });
  }

  return (
    <div className="mt-5 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-line pt-4 text-sm">
      <p role="status" className={said?.bad ? "text-danger-text" : "text-muted"}>
        {said?.text ?? "No code yet?"}
      </p>
      <Button
        look="secondary"
        size="sm"
        busy={sending}
        disabled={wait > 0}
        onClick={() => void resend()}
      >
        {wait > 0 ? `Send again in ${duration(wait)}` : "Send a new code"}
      </Button>
    </div>
  );
}

function Cancel() {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      look="quiet"
      size="sm"
      busy={busy}
      onClick={async () => {
        setBusy(true);
        // The guard redirects to the sign-in screen when the new state arrives.
        const { error } = await auth.cancelOtp();
        if (error) setBusy(false);
      }}
    >
      Cancel and use another account
    </Button>
  );
}
