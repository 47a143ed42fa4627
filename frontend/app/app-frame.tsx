"use client";

import type { ReactNode } from "react";
import { VestibuleProvider } from "vestibule/react";
import { OnDemand } from "@/components/ui/on-demand";
import { AccountLayer } from "@/features/accounts/account-layer";
import { AccountsButton, UserMenuAccounts } from "@/features/accounts/account-menu";
import { ChooserScreen } from "@/features/accounts/chooser-screen";
import { Frame } from "@/features/shell/frame";
import { createPart } from "@/lib/part";
import { vestibule } from "@/lib/vestibule";

const accountParts = {
  MenuItems: UserMenuAccounts,
  MenuButton: AccountsButton,
  Chooser: ChooserScreen,
  Layer: AccountLayer,
};

const signInPart = createPart(() => import("@/features/auth/sign-in-overlay"));

function SignIn({ keptFor }: { keptFor: string }) {
  return (
    <OnDemand part={signInPart}>
      {({ SignInOverlay }) => <SignInOverlay keptFor={keptFor} />}
    </OnDemand>
  );
}

/**
 * The frame of every page, with the sign-in screen that may be shown in front of one, and with what
 * leads from one account to another.
 */
export function AppFrame({ children }: { children: ReactNode }) {
  return (
    <VestibuleProvider vestibule={vestibule}>
      <Frame SignIn={SignIn} accountParts={accountParts}>
        {children}
      </Frame>
    </VestibuleProvider>
  );
}
