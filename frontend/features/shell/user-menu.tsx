"use client";

import { ChevronDown } from "lucide-react";
import type { User } from "vestibule";
import { Avatar } from "@/components/ui/avatar";
import { MenuButton } from "@/components/ui/menu-button";
import { OnDemand } from "@/components/ui/on-demand";
import { createPart } from "@/lib/part";

const itemsPart = createPart(() => import("./user-menu-items"));

export function UserMenu({ user, stale }: { user: User; stale: boolean }) {
  return (
    <MenuButton
      aria-label={`${user.name}, account menu`}
      className="flex min-w-0 items-center gap-2.5 rounded-full border border-transparent py-1 pr-2.5 pl-1 text-sm hover:border-line hover:bg-surface data-[state=open]:border-line data-[state=open]:bg-surface"
      menu={(menu) => (
        <OnDemand part={itemsPart}>
          {({ UserMenuItems }) => <UserMenuItems menu={menu} user={user} stale={stale} />}
        </OnDemand>
      )}
    >
      <Avatar name={user.name} image={user.image} />
      <span className="max-w-40 truncate font-medium max-sm:sr-only">{user.name}</span>
      <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
    </MenuButton>
  );
}
