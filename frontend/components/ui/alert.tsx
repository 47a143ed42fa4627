import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

export type Tone = "info" | "success" | "warning" | "danger";

const TONES: Record<Tone, { box: string; icon: typeof Info }> = {
  info: { box: "bg-sunken text-ink border-line", icon: Info },
  success: { box: "bg-accent-soft text-accent-text border-accent/25", icon: CircleCheck },
  warning: { box: "bg-warn-soft text-warn-text border-warn-line", icon: TriangleAlert },
  danger: { box: "bg-danger-soft text-danger-text border-danger/30", icon: CircleAlert },
};

/** A message in the page. Failures have `role="alert"`, all others `status`. */
export function Alert({
  tone = "info",
  title,
  action,
  children,
  className,
  ...rest
}: Omit<ComponentProps<"div">, "title"> & { tone?: Tone; title?: string; action?: ReactNode }) {
  const { box, icon: Icon } = TONES[tone];
  return (
    <div
      role={tone === "danger" ? "alert" : "status"}
      {...rest}
      className={cx(
        "flex gap-2.5 rounded-lg border px-3.5 py-3 text-sm leading-normal",
        // A single line beside a button is centred.
        action && !title ? "items-center" : "items-start",
        box,
        className,
      )}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        {title && <p className="font-semibold">{title}</p>}
        <div>{children}</div>
      </div>
      {action}
    </div>
  );
}
