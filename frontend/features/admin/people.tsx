"use client";

import { useState } from "react";
import * as v from "valibot";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Failed } from "@/components/ui/failed";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useResource } from "@/lib/resource";
import { messages } from "@/lib/vestibule";

const user = v.object({
  id: v.string(),
  name: v.string(),
  email: v.string(),
  roles: v.optional(v.array(v.string()), []),
  blocked: v.optional(v.boolean(), false),
});
type Person = v.InferOutput<typeof user>;
const schema = v.union([
  v.array(user),
  v.pipe(
    v.object({ users: v.array(user) }),
    v.transform((body) => body.users),
  ),
]);

/** All accounts. The backend gives the list only to administrators. */
export function People() {
  const { resource, reload } = useResource("/admin/users", schema);
  return (
    <Card title="Accounts">
      {resource.status === "loading" && (
        <Loading label="Loading people">
          <Skeleton className="h-4 w-2/3" />
          <Skeleton className="mt-3 h-4 w-1/2" />
        </Loading>
      )}
      {resource.status === "failed" && (
        <Failed onRetry={reload}>{messages.describe(resource.failure)}</Failed>
      )}
      {resource.status === "missing" && (
        <p className="text-sm text-muted">This server has no list of accounts.</p>
      )}
      {resource.status === "ready" && <List people={resource.data} />}
    </Card>
  );
}

function List({ people }: { people: Person[] }) {
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
      {found.length === 0 && <p className="mt-4 text-sm text-muted">No account matches.</p>}
      <ul className="mt-4 divide-y divide-line text-sm">
        {found.map((person) => (
          <Row key={person.id} person={person} />
        ))}
      </ul>
    </>
  );
}

function Row({ person: { name, email, roles, blocked } }: { person: Person }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1 py-2.5 last:pb-0">
      <p className="min-w-0">
        <span className="font-medium wrap-anywhere">{name}</span>
        <span className="block text-muted wrap-anywhere">{email}</span>
      </p>
      <p className="flex flex-wrap gap-1.5">
        {blocked && <Badge tone="warning">blocked</Badge>}
        {roles.map((role) => (
          <Badge key={role}>{role}</Badge>
        ))}
      </p>
    </li>
  );
}
