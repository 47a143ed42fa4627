"use client";

import { type ReactNode, useEffect, useRef, useState } from "react";
import type { AccountList } from "vestibule";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { CardPage } from "@/components/ui/card-page";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { messages } from "@/lib/vestibule";
import { FoundServer } from "./found-server";
import { isLink, useServerLook } from "./server-look";

/**
 * Adds a server by its address: typed, looked at, confirmed. A link may have filled the address in, and
 * one that is pasted does. Nothing at the address is contacted before the person asks for the look.
 */
export function AddServer({
  list,
  initial = "",
  onBack,
  below,
}: {
  list: AccountList;
  initial?: string;
  onBack: () => void;
  below: ReactNode;
}) {
  const [address, setAddress] = useState(initial);
  const [missing, setMissing] = useState(false);
  const [isOfLink, setIsOfLink] = useState(initial !== "");
  const { look, lookAt, openLink, cancel } = useServerLook();
  const field = useRef<HTMLInputElement>(null);
  const typing = look.step === "typing";
  useEffect(() => {
    if (typing) field.current?.focus();
  }, [typing]);

  async function submit() {
    if (!isLink(address)) return lookAt(address);
    const named = await openLink(address);
    if (named === null) return;
    setAddress(named);
    setIsOfLink(true);
  }

  if (look.step === "found") {
    return (
      <CardPage title="Is this your server?" below={below}>
        <FoundServer list={list} found={look.found} onBack={cancel} />
      </CardPage>
    );
  }

  const looking = look.step === "looking";
  return (
    <CardPage
      title="Another server"
      lead={
        isOfLink
          ? "A link has filled in its address. Look at it only if you expected such a link."
          : "Your organisation can tell you its address, or send you a link."
      }
      below={below}
    >
      <form
        noValidate
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(address.trim() === "");
          if (address.trim() !== "" && !looking) void submit();
        }}
      >
        {look.step === "typing" && look.failure && (
          <Alert tone="danger" title="Nothing was added">
            {messages.describe(look.failure)}
          </Alert>
        )}
        <Field
          label="Server address"
          hint="Nothing is sent there before you look. A link goes here too."
          error={missing ? "Enter the address of the server." : undefined}
        >
          {(control) => (
            <Input
              {...control}
              ref={field}
              inputMode="url"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="https://id.example.com"
              value={address}
              readOnly={looking}
              onChange={(event) => {
                setAddress(event.target.value);
                setMissing(false);
                setIsOfLink(false);
              }}
            />
          )}
        </Field>
        <div className="flex gap-2.5">
          <Button look="secondary" onClick={looking ? cancel : onBack}>
            {looking ? "Stop" : "Back"}
          </Button>
          <Button type="submit" busy={looking} className="flex-1">
            {looking ? "Looking…" : "Look"}
          </Button>
          <p role="status" className="sr-only">
            {looking && "Looking at the address…"}
          </p>
        </div>
      </form>
    </CardPage>
  );
}
