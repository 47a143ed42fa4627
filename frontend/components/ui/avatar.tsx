import { Avatar as Radix } from "radix-ui";
import { initials } from "@/lib/format";
import { cx } from "./cx";

/**
 * The picture where it is a `data:` address, else initials: the policy blocks all other pictures.
 */
export function Avatar({
  name,
  image,
  className,
}: {
  name: string;
  image: string | null;
  className?: string;
}) {
  return (
    <Radix.Root
      aria-hidden
      className={cx(
        "inline-flex size-8 shrink-0 items-center justify-center overflow-hidden rounded-full",
        "bg-accent-soft text-xs font-semibold text-accent-text select-none",
        className,
      )}
    >
      {image?.startsWith("data:image/") && (
        <Radix.Image src={image} alt="" className="size-full object-cover" />
      )}
      <Radix.Fallback>{initials(name)}</Radix.Fallback>
    </Radix.Root>
  );
}
