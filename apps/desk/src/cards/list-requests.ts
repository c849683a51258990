import type { Pool } from "pg";
import type { Actor } from "../access/roles.ts";
import type { Route } from "./request-rules.ts";

export type ListedRequest = {
  readonly request: string;
  readonly person: string;
  readonly kind: string;
  readonly state: string;
  readonly route: Route;
  readonly requestedBy: string;
  readonly requestedAt: Date;
};

/** The routes of which this actor may see anything at all, counts included. */
export function visibleRoutes(actor: Actor): Route[] {
  return actor.roles.includes("custodian") ? ["bureau", "in-house"] : ["bureau"];
}

/** A page of requests in the order of their ids, beginning after `after`. */
export async function listRequests(
  pool: Pool,
  actor: Actor,
  page: { state: string | undefined; after: string | undefined; limit: number },
): Promise<ListedRequest[]> {
  const { rows } = await pool.query<ListedRequest>(
    `select id "request", person_id "person", kind, state, route, requested_by "requestedBy", requested_at "requestedAt"
     from request
     where route = any($1) and ($2::text is null or state = $2) and ($3::uuid is null or id > $3)
     order by id limit $4`,
    [visibleRoutes(actor), page.state ?? null, page.after ?? null, page.limit],
  );
  return rows;
}

/** How many requests are in each state, of those that this actor may see. */
export async function countRequests(pool: Pool, actor: Actor): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ state: string; count: number }>(
    "select state, count(*)::int as count from request where route = any($1) group by state",
    [visibleRoutes(actor)],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
