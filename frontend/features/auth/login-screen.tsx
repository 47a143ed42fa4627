"use client";

import { useFeatures } from "vestibule/react";
import { CardPage } from "@/components/ui/card-page";
import { routes } from "@/lib/routes";
import { useBrowserAttempt } from "./browser-attempt";
import { BrowserButtons, BrowserFailure } from "./browser-buttons";
import { LoginNotice } from "./login-notice";
import { useNotice } from "./notice";
import { PasswordSignIn } from "./password-sign-in";
import { TextLink } from "./text-link";
import { useWorkspaceLine } from "./workspace-line";

/**
 * Signs in with a password, by the browser, or either, as the backend offers it. `keptFor` is the
 * e-mail of the user whose page waits behind it.
 */
export function LoginScreen({ keptFor }: { keptFor?: string }) {
  const notice = useNotice();
  const { register, password, browser } = useFeatures();
  const { failure } = useBrowserAttempt();
  const lead = useWorkspaceLine();
  const message = failure ? <BrowserFailure /> : <LoginNotice notice={notice} />;

  return (
    <CardPage
      title="Sign in"
      lead={lead}
      below={
        keptFor
          ? `The page behind this one is kept for ${keptFor}. It is discarded when someone else signs in.`
          : register && (
              <>
                No account yet? <TextLink href={routes.register}>Create an account</TextLink>
              </>
            )
      }
    >
      {browser && !password ? (
        <div className="space-y-5">
          {message}
          <BrowserButtons offer={browser} alone />
        </div>
      ) : (
        <PasswordSignIn known={notice?.email ?? keptFor} message={message} browser={browser} />
      )}
    </CardPage>
  );
}
