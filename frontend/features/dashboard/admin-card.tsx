"use client";

import { useState } from "react";
import { Card, Fact, Facts } from "@/components/ui/card";
import { Failed } from "@/components/ui/failed";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { describe } from "@/lib/messages";
import { useResource } from "@/lib/resource";
import * as z from "@/lib/zod";

const user = z.object({ id: z.string(), name: z.string(), email: z.string() });
type Person = z.infer<typeof user>;
const schema = z.union([
  z.array(user),
  z.object({ users: z.array(user) }).transform((b) => b.users),
]);

/** For administrators. Hiding it is a courtesy: the backend refuses everyone else. */
export function AdminCard() {
  const { resource, reload } = useResource("/admin/users", schema);
  return (
    <Card title="People" description="Everyone with an account. Only administrators see this.">
      {resource.status === "loading" && (
        <Loading label="Loading people">
          <Skeleton className="h-4 w-2/3" />
          <Skeleton className="mt-3 h-4 w-1/2" />
        </Loading>
      )}
      {resource.status === "failed" && (
        <Failed onRetry={reload}>{describe(resource.failure)}</Failed>
      )}
      {resource.status === "missing" && (
        <p className="text-sm text-muted">This server keeps no such list.</p>
      )}
      {resource.status === "ready" && <People people={resource.data} />}
    </Card>
  );
}

function People({ people }: { people: Person[] }) {
  const [wanted, setWanted] = useState("");
  const words = wanted.trim().toLocaleLowerCase();
  const found = people.filter(({ name, email }) =>
    `${name} ${email}`.toLocaleLowerCase().includes(words),
  );
  return (
    <>
      <Field label="Find by name or e-mail">
        {(control) => (
          <Input
            {...control}
            type="search"
            autoComplete="off"
            spellCheck={false}
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        )}
      </Field>
      <div className="mt-4 max-h-64 overflow-y-auto">
        {found.length === 0 && <p className="text-sm text-muted">Nobody is called that.</p>}
        <Facts>
          {found.map(({ id, name, email }) => (
            <Fact key={id} name={name}>
              {email}
            </Fact>
          ))}
        </Facts>
      </div>
    </>
  );
}
