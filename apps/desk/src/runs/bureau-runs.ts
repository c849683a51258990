import type { Pool } from "pg";
import type { Desk } from "../desk.ts";
import type { SignedRoute } from "../releases/signed-routes.ts";
import { LEFT } from "./list-runs.ts";

/** `GET /v1/runs` and `GET /v1/runs/{run}`. */
export function runRoutesForBureaux(desk: Desk): SignedRoute[] {
  return [
    {
      ...{ method: "GET", url: "/v1/runs", use: "requests" },
      handle: async ({ recipient }) => ({ json: await listBureauRuns(desk.pool, recipient, desk.now()) }),
    },
    {
      ...{ method: "GET", url: "/v1/runs/:run", use: "requests" },
      handle: async ({ recipient, params }) => {
        const run = await findBureauRun(desk.pool, { recipient, run: params.run ?? "", now: desk.now() });
        return run === undefined ? { refusal: "no-open-run" } : { json: run };
      },
    },
  ];
}

/** Open runs of this recipient (docs/spec/release-protocol.md, section 2). */
async function listBureauRuns(pool: Pool, recipient: string, now: Date) {
  const { rows } = await pool.query<{ run: string; order: string; until: Date; left: number }>(
    `select r.id run, r.order_id "order", r.until, ${LEFT}
     from run r where r.recipient = $1 and r.state = 'open' and r.until > $2 order by r.opened_at, r.id`,
    [recipient, now],
  );
  return { runs: rows.map((row) => ({ ...row, until: row.until.toISOString() })) };
}

/** An open run of this recipient with its jobs; undefined for any other. */
async function findBureauRun(pool: Pool, given: { recipient: string; run: string; now: Date }) {
  if (!/^[0-9a-f-]{36}$/.test(given.run)) return undefined;
  const { rows } = await pool.query<{ run: string; order: string; until: Date }>(
    `select id run, order_id "order", until from run
     where id::text = $1 and recipient = $2 and state = 'open' and until > $3`,
    [given.run, given.recipient, given.now],
  );
  const run = rows[0];
  if (run === undefined) return undefined;
  const jobs = await pool.query<{ id: string }>(
    `select j.id from run_job rj join job j on j.id = rj.job_id
     where rj.run_id = $1 and j.state in ('sealed', 'reserved', 'logged', 'released') order by j.id`,
    [run.run],
  );
  return { run: run.run, order: run.order, until: run.until.toISOString(), jobs: jobs.rows.map(({ id }) => id) };
}
