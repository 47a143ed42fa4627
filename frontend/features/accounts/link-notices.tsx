"use client";

import { useEffect } from "react";
import { toast } from "sonner";
import { useAccounts, useLinkNotice } from "vestibule/react";
import { FrontScreen } from "@/components/ui/front-screen";
import { links, messages } from "@/lib/vestibule";
import { AddAccount } from "./add-account";

/** Long enough to be read by somebody who comes from another window. */
const SHOWN_MS = 15_000;

/**
 * What a link asks, in front of every page: whoever is in the middle of something goes on there afterwards.
 * A server is only looked at, and added, when the person says so.
 */
export function LinkNotices() {
  const notice = useLinkNotice();
  const list = useAccounts();
  const about = notice?.about;

  useEffect(() => {
    if (about?.kind !== "refused") return;
    toast(messages.describe(about.error), { duration: SHOWN_MS });
    links.close();
  }, [about]);

  if (!list || about?.kind !== "join") return null;
  return (
    <FrontScreen title="A link asks to add a server" onClose={links.close}>
      <AddAccount key={notice?.id} list={list} address={about.address} onCancel={links.close} />
    </FrontScreen>
  );
}
