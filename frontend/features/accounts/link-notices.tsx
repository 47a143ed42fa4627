"use client";

import { useEffect } from "react";
import { useAccounts, useLinkNotice } from "vestibule/react";
import { OnDemand } from "@/components/ui/on-demand";
import { toast } from "@/components/ui/toast";
import { createPart } from "@/lib/part";
import { links, messages } from "@/lib/vestibule";

const joinPart = createPart(() => import("./join-screen"));

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

  if (!list || !notice || about?.kind !== "join") return null;
  return (
    <OnDemand part={joinPart}>
      {({ JoinScreen }) => <JoinScreen list={list} id={notice.id} address={about.address} />}
    </OnDemand>
  );
}
