import type { FastifyInstance } from "fastify";
import { requireAction } from "../access/require-action.ts";
import type { Actor } from "../access/roles.ts";
import { countRequests } from "../cards/list-requests.ts";
import type { Desk } from "../desk.ts";

/** How much of everything there is, by state. Of covert posts only custodians see anything, counts included. */
export function registerStatusRoutes(api: FastifyInstance, desk: Desk): void {
  api.get("/status", async (request) => readStatus(desk, requireAction(request, "see-status")));
}

async function readStatus(desk: Desk, actor: Actor) {
  const custodian = actor.roles.includes("custodian");
  const [requests, jobs, cards, custody, runs, holds, inHouse, people, unaccounted, made] = await Promise.all([
    countRequests(desk.pool, actor),
    countBy(desk, "select state as key, count(*)::int n from job group by state"),
    countBy(desk, "select validity as key, count(*)::int n from card group by validity"),
    countBy(desk, "select custody as key, count(*)::int n from card group by custody"),
    countBy(desk, "select state as key, count(*)::int n from run group by state"),
    countBy(desk, "select reason as key, count(*)::int n from hold where lifted_at is null group by reason"),
    countBy(
      desk,
      `select 'n' as key, count(*)::int n from request
       where route = 'in-house' and state in ('requested', 'approved', 'ordered')`,
    ),
    countBy(desk, "select presence as key, count(*)::int n from person group by presence"),
    countBy(desk, "select recipient as key, unaccounted n from recipient_state"),
    countBy(
      desk,
      `select 'releases' as key, count(*)::int n from release where state = 'released'
       union all select 'receipts', count(*)::int from receipt`,
    ),
  ]);
  const log = await desk.sequencer.head();
  return {
    ...{ jobs, cards, custody, runs, holds, unaccounted, ...made },
    // The number of people less the number of requests would tell how many posts are covert.
    requests: custodian ? { ...requests, inHouse: inHouse.n } : requests,
    ...(custodian ? { people } : {}),
    ledger: {
      ...{ origin: desk.origin, size: log?.size ?? 0, witnessed: log?.witnessed ?? false },
      state: desk.sequencer.state(),
    },
  };
}

async function countBy(desk: Desk, query: string): Promise<Record<string, number>> {
  const { rows } = await desk.pool.query<{ key: string; n: number }>(query);
  return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
}
