"use client";

import { useEffect, useState } from "react";
import * as v from "valibot";
import { Button } from "@/components/ui/button";
import { auth } from "@/lib/vestibule";

// The bundled backend's demo accounts, for development only. Builds do not contain this.

const schema = v.array(v.object({ label: v.string(), email: v.string(), password: v.string() }));
type Account = v.InferOutput<typeof schema>[number];

export function DemoAccounts({ onPick }: { onPick: (account: Account) => void }) {
  const [accounts, setAccounts] = useState<Account[]>([]);

  useEffect(() => {
    const controller = new AbortController();
    auth
      .fetch("/demo-accounts", { signal: controller.signal })
      .then((response) => response.json())
      .then((body) => setAccounts(v.parse(schema, body)))
      // Other backends have no demo accounts.
      .catch(() => undefined);
    return () => controller.abort();
  }, []);

  if (accounts.length === 0) return null;
  return (
    <section aria-label="Demo accounts" className="mt-6 border-t border-line pt-5">
      <h2 className="text-sm font-medium">Demo accounts</h2>
      <p className="text-sm text-muted">Offered in development only. A click fills in the form.</p>
      <div className="mt-3 flex flex-wrap gap-2">
        {accounts.map((account) => (
          <Button key={account.email} look="secondary" size="sm" onClick={() => onPick(account)}>
            {account.label}
          </Button>
        ))}
      </div>
    </section>
  );
}
