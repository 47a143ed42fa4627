"use client";

import { usePathname } from "next/navigation";
import { type ReactNode, useEffect, useRef } from "react";
import { cx } from "./cx";

export const PRODUCT = "Vestibule";

/** The window's title, which React puts in the head. Without a text it is the product's name. */
export function PageTitle({ children }: { children?: string }) {
  return <title>{children ? `${children} · ${PRODUCT}` : PRODUCT}</title>;
}

// The path of the page that last had a heading. A page that is reached from within the app puts the
// focus on its heading, so that keyboards and screen readers start there. The first page after a
// load does not.
let lastPath: string | null = null;

/**
 * Whether a heading takes the focus: after another page, or also where it is shown in front of one at
 * the same path. False where the page puts the focus in its first field instead.
 */
export type TakesFocus = boolean | "always";

export function PageHeading({
  children,
  className,
  takesFocus = true,
}: {
  children: ReactNode;
  className?: string;
  takesFocus?: TakesFocus;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const path = usePathname();
  useEffect(() => {
    const isAfterAnother = lastPath !== null && lastPath !== path;
    if (takesFocus === "always" || (takesFocus && isAfterAnother)) heading.current?.focus();
    lastPath = path;
  }, [path, takesFocus]);
  return (
    <h1
      ref={heading}
      tabIndex={-1}
      className={cx("text-2xl leading-tight font-semibold wrap-anywhere", className)}
    >
      {children}
    </h1>
  );
}

/** The column of an ordinary page. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-5xl animate-fade px-4 py-8 sm:px-6 sm:py-10">
      {children}
    </div>
  );
}

/** Centres its children on an otherwise empty page, or in a window without a header. */
export function Centered({ children, whole = false }: { children: ReactNode; whole?: boolean }) {
  return (
    <div
      className={cx(
        whole ? "min-h-dvh" : "min-h-[60dvh]",
        "mx-auto flex w-full max-w-md flex-col items-center justify-center px-6 py-10 text-center",
      )}
    >
      {children}
    </div>
  );
}
