"use client";

import { useEffect, useId, useRef, useState } from "react";
import type { AuthError, OfferedMethod } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { CodeInput } from "@/components/ui/code-input";
import { Input } from "@/components/ui/input";
import { duration } from "@/lib/format";
import { messages } from "@/lib/vestibule";
import { boxesOf, consistsOf, isWhole, nameOfCode, readCode } from "./code";

type Trust = { days: number | null; on: boolean; onChange: (on: boolean) => void };

/** Takes a code of one method. Nothing is cut: what does not fit is said. */
export function CodeForm({
  offered,
  describedBy,
  trust,
  checking,
  failure,
  wait,
  onSubmit,
}: {
  offered: OfferedMethod;
  describedBy: string;
  /** Null where the backend does not offer to trust this device. */
  trust: Trust | null;
  checking: boolean;
  failure: AuthError | null;
  /** Seconds until the next try is allowed. */
  wait: number;
  onSubmit: (code: string) => Promise<AuthError | null>;
}) {
  const { form } = offered;
  const [code, setCode] = useState("");
  const [misfits, setMisfits] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const boxes = boxesOf(offered);

  useEffect(() => field.current?.focus(), []);

  /** The code in what was typed or pasted into boxes, or nothing if it does not fit. */
  function read(text: string): string {
    const { code: found, stray } = readCode(text, form);
    const long = form.length !== null && found.length > form.length;
    setMisfits(stray || long);
    return long ? "" : found;
  }

  async function send(entered: string) {
    if (checking || wait > 0) return;
    setMisfits(false);
    const error = await onSubmit(entered);
    if (error?.code === "otp_invalid") setCode("");
    if (error) field.current?.focus();
  }

  function submit() {
    const { code: found, stray } = readCode(code, form);
    if (!stray && isWhole(found, form)) return void send(found);
    setMisfits(true);
    field.current?.focus();
  }

  const shared = {
    ref: field,
    value: code,
    describedBy,
    invalid: failure?.code === "otp_invalid",
    label: nameOfCode(offered),
  };
  const change = (value: string) => {
    if (!checking) setCode(value);
  };

  return (
    <form
      noValidate
      className="space-y-5"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {failure && (
        <Alert tone="danger" title="The code was not accepted">
          {messages.describe(failure)}
        </Alert>
      )}
      {misfits && !failure && <Alert tone="warning" title={`The code has ${consistsOf(form)}.`} />}
      {boxes === null ? (
        <PlainInput {...shared} digits={!form.letters} onChange={change} />
      ) : (
        <CodeInput
          {...shared}
          length={boxes}
          letters={form.letters}
          read={read}
          onChange={change}
          onComplete={(value: string) => void send(value)}
        />
      )}
      {trust && <TrustDevice {...trust} />}
      <Button type="submit" busy={checking} disabled={wait > 0} className="w-full">
        {wait > 0 ? `Try again in ${duration(wait)}` : checking ? "Checking…" : "Continue"}
      </Button>
    </form>
  );
}

/** An ordinary field for a code. It sends nothing by itself. */
function PlainInput({
  label,
  describedBy,
  invalid,
  digits,
  onChange,
  ...rest
}: {
  ref: React.Ref<HTMLInputElement>;
  label: string;
  value: string;
  describedBy: string;
  invalid: boolean;
  digits: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <Input
      {...rest}
      type="text"
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      inputMode={digits ? "numeric" : "text"}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function TrustDevice({ days, on, onChange }: Trust) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5 text-sm">
      <input
        id={id}
        type="checkbox"
        checked={on}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
        className="mt-0.5 size-4 shrink-0 accent-(--accent)"
      />
      <div>
        <label htmlFor={id} className="font-medium">
          {trustLabel(days)}
        </label>
        <p id={`${id}-hint`} className="text-muted">
          You need no code here then. Do this only on a computer of your own.
        </p>
      </div>
    </div>
  );
}

function trustLabel(days: number | null): string {
  if (days === null) return "Trust this device";
  return days === 1 ? "Trust this device for a day" : `Trust this device for ${days} days`;
}
