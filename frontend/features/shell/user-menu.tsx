"use client";

import { AppWindow, ChevronDown, LogOut, RotateCcw, UserRound } from "lucide-react";
import { usePathname, useRouter } from "next/navigation";
import { toast } from "sonner";
import type { User } from "vestibule";
import { Avatar } from "@/components/ui/avatar";
import { Kbd } from "@/components/ui/kbd";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuSeparator,
  MenuTrigger,
  useMenuFocus,
} from "@/components/ui/menu";
import { routes } from "@/lib/routes";
import { shortcut } from "@/lib/shortcut";
import { auth, desktop, messages } from "@/lib/vestibule";
import { useAccountParts } from "./account-parts";
import { isGuarded } from "./kept-page";
import { requestReauthentication } from "./re-authenticate";

export function UserMenu({ user, stale }: { user: User; stale: boolean }) {
  const router = useRouter();
  const path = usePathname();
  const { leaveFocus, onCloseAutoFocus } = useMenuFocus();
  const { MenuItems } = useAccountParts();

  async function signOut() {
    const { error } = await auth.logout();
    if (error) return toast.error(messages.describe(error));
    // The guard of a guarded page redirects to the sign-in page.
    if (!isGuarded(path)) router.push(routes.home);
  }

  async function openWindow() {
    try {
      await desktop.newWindow();
    } catch (cause) {
      toast.error(messages.describe(auth.failure(cause)));
    }
  }

  return (
    <Menu modal={false}>
      <MenuTrigger
        aria-label={`${user.name}, account menu`}
        className="flex min-w-0 items-center gap-2.5 rounded-full border border-transparent py-1 pr-2.5 pl-1 text-sm hover:border-line hover:bg-surface data-[state=open]:border-line data-[state=open]:bg-surface"
      >
        <Avatar name={user.name} image={user.image} />
        <span className="max-w-40 truncate font-medium max-sm:sr-only">{user.name}</span>
        <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
      </MenuTrigger>
      <MenuContent onCloseAutoFocus={onCloseAutoFocus}>
        <MenuLabel>
          <p className="truncate text-sm font-medium">{user.name}</p>
          <p className="truncate text-sm text-muted">{user.email}</p>
        </MenuLabel>
        <MenuSeparator />
        <MenuItem onSelect={() => router.push(routes.account)}>
          <UserRound aria-hidden />
          Account
        </MenuItem>
        <MenuItem onSelect={() => void openWindow()}>
          <AppWindow aria-hidden />
          New window
          <Kbd>{shortcut("N")}</Kbd>
        </MenuItem>
        {stale && (
          <MenuItem
            onSelect={() => {
              leaveFocus();
              requestReauthentication();
            }}
          >
            <RotateCcw aria-hidden />
            Sign in again
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItems onLeave={leaveFocus} />
        <MenuItem onSelect={() => void signOut()}>
          <LogOut aria-hidden />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
