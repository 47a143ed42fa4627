"use client";

import { Card, Fact, Facts } from "@/components/ui/card";
import { Failed } from "@/components/ui/failed";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { describe } from "@/lib/messages";
import { useResource } from "@/lib/resource";
import * as z from "@/lib/zod";

const user = z.object({ id: z.string(), name: z.string(), email: z.string() });
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
      {resource.status === "ready" && (
        <div className="max-h-64 overflow-y-auto">
          <Facts>
            {resource.data.map(({ id, name, email }) => (
              <Fact key={id} name={name}>
                {email}
              </Fact>
            ))}
          </Facts>
        </div>
      )}
    </Card>
  );
}
