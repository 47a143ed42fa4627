import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

/** A titled part of a page. */
export function Card({
  title,
  description,
  action,
  children,
  className,
  ...rest
}: Omit<ComponentProps<"section">, "title"> & {
  title?: string;
  description?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <section
      aria-label={title}
      {...rest}
      className={cx("rounded-xl border border-line bg-surface p-5 shadow-card", className)}
    >
      {title && (
        <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 not-last:mb-4">
          <div className="min-w-0">
            <h2 className="text-base font-semibold">{title}</h2>
            {description && <p className="mt-0.5 text-sm text-muted">{description}</p>}
          </div>
          {action}
        </div>
      )}
      {children}
    </section>
  );
}

/** A list of names and values, with one pair in each row. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="divide-y divide-line text-sm">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-0.5 py-2.5 first:pt-0 last:pb-0">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 font-medium wrap-anywhere">{children}</dd>
    </div>
  );
}
