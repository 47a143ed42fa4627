"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useState } from "react";
import type { Theme } from "vestibule";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { toast } from "@/components/ui/toast";
import { auth, desktop, messages } from "@/lib/vestibule";

/** Chooses the theme. It is the native window's; pages follow it by `prefers-color-scheme`. */
export function Appearance() {
  const [theme, setTheme] = useState<Theme>();

  useEffect(() => {
    let current = true;
    const read = () =>
      desktop.theme().then(
        (held) => current && setTheme(held),
        () => undefined,
      );
    void read();
    // Another window may change the theme, so it is read again when the colours change or this
    // window gets the focus.
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", read);
    window.addEventListener("focus", read);
    return () => {
      current = false;
      dark.removeEventListener("change", read);
      window.removeEventListener("focus", read);
    };
  }, []);

  async function choose(next: Theme) {
    const before = theme;
    setTheme(next);
    try {
      await desktop.setTheme(next);
    } catch (cause) {
      setTheme(before);
      toast.error(messages.describe(auth.failure(cause)));
    }
  }

  return (
    <Card title="Appearance">
      <Segmented<Theme>
        label="Theme"
        value={theme}
        onChange={(next) => void choose(next)}
        options={[
          { value: "system", label: "System", icon: <Monitor aria-hidden /> },
          { value: "light", label: "Light", icon: <Sun aria-hidden /> },
          { value: "dark", label: "Dark", icon: <Moon aria-hidden /> },
        ]}
      />
    </Card>
  );
}
