"use client";

import { useId, useState } from "react";
import type { AuthError, Challenge, CodeMethod, OfferedMethod } from "vestibule";
import { useAuthState } from "vestibule/react";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { auth, messages } from "@/lib/vestibule";
import { consistsOf, wayTo } from "./code";
import { CodeForm } from "./code-form";
import { leaveNotice } from "./notice";
import { SendCode, useSendCode } from "./send-code";
import { useFailure } from "./use-failure";

export function OtpScreen() {
  const state = useAuthState();
  if (state.status !== "otp_pending") return null;
  // A challenge may come after another: each has a form of its own.
  return <SecondFactor key={state.challenge.id} challenge={state.challenge} />;
}

function SecondFactor({ challenge }: { challenge: Challenge }) {
  const { methods } = challenge;
  const [chosen, setChosen] = useState<CodeMethod | undefined>(methods[0]?.method);
  const [trustDevice, setTrustDevice] = useState(false);
  const [checking, setChecking] = useState(false);
  // Grows with each code that was sent: the form for it is empty and has the focus.
  const [form, setForm] = useState(0);
  const problem = useFailure("code");
  const sender = useSendCode(challenge, {
    onSent: () => setForm((number) => number + 1),
    onOver: (error) => startOver(error, challenge),
  });
  const leadId = useId();
  const offered = methods.find(({ method }) => method === chosen) ?? methods[0];
  if (!offered) return null;

  async function verify(code: string, method: CodeMethod): Promise<AuthError | null> {
    setChecking(true);
    problem.clear();
    const { error } = await auth.verifyOtp({ challenge: challenge.id, code, method, trustDevice });
    // The code was accepted. The guard redirects when the new state arrives.
    if (!error) return null;
    setChecking(false);
    if (error.code === "challenge_over") startOver(error, challenge);
    else problem.fail(error);
    return error;
  }

  function choose(other: OfferedMethod) {
    problem.clear();
    setChosen(other.method);
    if (other.canBeSent && other.sentTo === null) void sender.send();
  }

  return (
    <CardPage
      title={offered.method === "recovery" ? "Enter a recovery code" : "Enter the code"}
      lead={
        <p id={leadId}>
          <Lead offered={offered} email={challenge.email} />
        </p>
      }
      below={<Cancel />}
    >
      <CodeForm
        key={`${offered.method} ${form}`}
        offered={offered}
        describedBy={leadId}
        trust={
          offered.canTrustDevice
            ? { days: challenge.trustDays, on: trustDevice, onChange: setTrustDevice }
            : null
        }
        checking={checking}
        failure={problem.failure}
        wait={problem.wait}
        onSubmit={(code) => verify(code, offered.method)}
      />
      {offered.canBeSent && <SendCode sender={sender} isFirst={offered.sentTo === null} />}
      <OtherWays
        methods={methods.filter(({ method }) => method !== offered.method)}
        disabled={checking}
        onChoose={choose}
      />
    </CardPage>
  );
}

function OtherWays({
  methods,
  disabled,
  onChoose,
}: {
  methods: OfferedMethod[];
  disabled: boolean;
  onChoose: (offered: OfferedMethod) => void;
}) {
  if (methods.length === 0) return null;
  return (
    <div className="mt-5 flex flex-wrap gap-2 border-t border-line pt-4">
      {methods.map((offered) => (
        <Button
          key={offered.method}
          look="secondary"
          size="sm"
          disabled={disabled}
          onClick={() => onChoose(offered)}
        >
          {wayTo(offered)}
        </Button>
      ))}
    </div>
  );
}

/** Where to find the code. */
function Lead({ offered, email }: { offered: OfferedMethod; email: string }) {
  const { method, form, canBeSent, sentTo } = offered;
  const what = consistsOf(form);
  const whose = <strong className="font-medium text-ink">{sentTo ?? email}</strong>;
  if (method === "totp")
    return (
      <>
        Take the {what} for {whose} from your authenticator app.
      </>
    );
  if (method === "recovery")
    return <>Use one of the recovery codes that you have stored for {whose}. Each works once.</>;
  if (sentTo !== null)
    return (
      <>
        We sent {what} to {whose}.
      </>
    );
  if (canBeSent)
    return (
      <>
        A code of {what} can be sent to {whose}.
      </>
    );
  return (
    <>
      Use the {what} that were sent to {whose}.
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
