import type { ReactNode } from "react";
import { PageHeading, PageTitle, type TakesFocus } from "./page";

/** A page with one card: the frame of the sign-in screens, and of others that ask for one thing. */
export function CardPage({
  title,
  lead,
  takesFocus = false,
  children,
  below,
}: {
  title: string;
  lead?: ReactNode;
  takesFocus?: TakesFocus;
  children: ReactNode;
  below?: ReactNode;
}) {
  return (
    <div className="mx-auto w-full max-w-[26rem] animate-fade px-4 py-8 sm:py-14 short:py-4">
      <PageTitle>{title}</PageTitle>
      <div className="rounded-2xl border border-line bg-surface p-6 shadow-card sm:p-8 short:p-6">
        <PageHeading takesFocus={takesFocus}>{title}</PageHeading>
        {lead && <div className="mt-1.5 text-muted">{lead}</div>}
        <div className="mt-6">{children}</div>
      </div>
      {below && <div className="mt-5 text-center text-sm text-muted">{below}</div>}
    </div>
  );
}
