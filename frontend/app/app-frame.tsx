"use client";

import type { ReactNode } from "react";
import { VestibuleProvider } from "vestibule/react";
import { AccountLayer } from "@/features/accounts/account-layer";
import { AccountsButton, UserMenuAccounts } from "@/features/accounts/account-menu";
import { ChooserScreen } from "@/features/accounts/chooser-screen";
import { SignInOverlay } from "@/features/auth/sign-in-overlay";
import { Frame } from "@/features/shell/frame";
import { vestibule } from "@/lib/vestibule";

const accountParts = {
  MenuItems: UserMenuAccounts,
  MenuButton: AccountsButton,
  Chooser: ChooserScreen,
  Layer: AccountLayer,
};

/**
 * The frame of every page, with the sign-in screen that may be shown in front of one, and with what
 * leads from one account to another.
 */
export function AppFrame({ children }: { children: ReactNode }) {
  return (
    <VestibuleProvider vestibule={vestibule}>
      <Frame SignIn={SignInOverlay} accountParts={accountParts}>
        {children}
      </Frame>
    </VestibuleProvider>
  );
}
