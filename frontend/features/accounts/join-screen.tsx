"use client";

import type { AccountList, LinkNotice } from "vestibule";
import { FrontScreen } from "@/components/ui/front-screen";
import { links } from "@/lib/vestibule";
import { AddAccount } from "./add-account";

/** What a link asks that leads to a server: to look at it, and to add it when the person says so. */
export function JoinScreen({
  list,
  id,
  address,
}: {
  list: AccountList;
  id: LinkNotice["id"];
  address: string;
}) {
  return (
    <FrontScreen title="A link asks to add a server" onClose={links.close}>
      <AddAccount key={id} list={list} address={address} onCancel={links.close} />
    </FrontScreen>
  );
}
