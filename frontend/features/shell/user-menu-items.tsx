"use client";

import { AppWindow, LogOut, RotateCcw, UserRound } from "lucide-react";
import { usePathname, useRouter } from "next/navigation";
import type { User } from "vestibule";
import { Kbd } from "@/components/ui/kbd";
import { Menu, MenuItem, MenuLabel, MenuSeparator, useLeaving } from "@/components/ui/menu";
import type { MenuState } from "@/components/ui/menu-button";
import { toast } from "@/components/ui/toast";
import { routes } from "@/lib/routes";
import { shortcut } from "@/lib/shortcut";
import { auth, desktop, messages } from "@/lib/vestibule";
import { useAccountParts } from "./account-parts";
import { isGuarded } from "./kept-page";
import { requestReauthentication } from "./re-authenticate";

/** The open menu of the user. */
export function UserMenuItems({
  menu,
  user,
  stale,
}: {
  menu: MenuState;
  user: User;
  stale: boolean;
}) {
  const router = useRouter();
  const path = usePathname();
  const { leaveFocus, leavesFocus } = useLeaving();
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
    <Menu menu={menu} leavesFocus={leavesFocus}>
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
    </Menu>
  );
}
