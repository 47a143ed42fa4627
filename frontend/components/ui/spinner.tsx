import { LoaderCircle } from "lucide-react";
import { useElapsed } from "@/lib/clock";
import { cx } from "./cx";

/** Most waits are shorter. A spinner that shows for less than this is seen as a flash. */
const LATE_MS = 200;

/**
 * Turns beside a text that says what is awaited. Its place is empty for the first moment, so that
 * nothing moves when it shows. Where less motion is wanted it stands still, as all animations do.
 */
export function LateSpinner() {
  const late = useElapsed(LATE_MS);
  return <LoaderCircle aria-hidden className={cx("size-4", late ? "animate-spin" : "invisible")} />;
}
