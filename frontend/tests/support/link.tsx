import { useRouter } from "next/navigation";
import type { ComponentProps } from "react";

/** An anchor that navigates with the test's router, as Next's link does with Next's router. */
export default function Link({ href, onClick, ...rest }: ComponentProps<"a"> & { href: string }) {
  const router = useRouter();
  return (
    <a
      href={href}
      {...rest}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented) return;
        event.preventDefault();
        router.push(href);
      }}
    />
  );
}
