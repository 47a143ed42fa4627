import type { ReactNode } from "react";

/** A line under the header that names a problem and has a button that helps. */
export function Banner({
  about,
  icon,
  children,
  action,
}: {
  about: string;
  icon: ReactNode;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <section aria-label={about} className="border-b border-warn-line bg-warn-soft text-warn-text">
      <div className="mx-auto flex min-h-11 max-w-5xl items-center gap-3 px-4 py-1.5 text-sm sm:px-6">
        <span aria-hidden className="[&>svg]:size-4">
          {icon}
        </span>
        <div className="min-w-0 flex-1">{children}</div>
        {action}
      </div>
    </section>
  );
}
