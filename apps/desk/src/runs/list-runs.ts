import type { Pool } from "pg";

/** SQL: jobs of run `r` that may still be released or await a receipt. */
export const LEFT = `(select count(*)::int from run_job rj join job j on j.id = rj.job_id
  where rj.run_id = r.id and j.state in ('sealed', 'reserved', 'logged', 'released')) "left"`;

/** The last runs, newest first. */
export async function listRuns(pool: Pool) {
  const { rows } = await pool.query<{
    run: string;
    recipient: string;
    order: string;
    state: string;
    openedAt: Date;
    until: Date;
    jobs: number;
    left: number;
  }>(
    `select r.id run, r.recipient, r.order_id "order", r.state, r.opened_at "openedAt", r.until, r.jobs, ${LEFT}
     from run r order by r.opened_at desc limit 200`,
  );
  return rows;
}
