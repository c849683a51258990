import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { recordJournalHead } from "../entries/record-journal-head.ts";
import { type RunRefusal, refuseRun } from "./run-rules.ts";

export type OpenedRun = {
  readonly run: string;
  readonly order: string;
  readonly recipient: string;
  readonly jobs: number;
  readonly until: string;
};
type Refused = { readonly ok: false; readonly reason: RunRefusal };

/** Jobs that a run may take: to be released still, and in no other open run. */
const FREE_JOBS = `
  from job j where j.order_id = $1
    and (j.state = 'sealed' or (j.state = 'released' and j.receipt_at is null))
    and not exists (select 1 from run_job rj join run r on r.id = rj.run_id
                    where rj.job_id = j.id and r.state = 'open' and r.until > $2)`;

/** Opens a run: these jobs, until then. No release happens outside an open run. */
export async function openRun(
  desk: Desk,
  given: { order: string; jobs: number | undefined; untilMinutes: number; actor: string },
): Promise<{ readonly ok: true; readonly run: OpenedRun } | Refused> {
  const now = desk.now();
  const until = new Date(now.getTime() + given.untilMinutes * 60_000);
  const found = await findOrder(desk, given.order);
  const { rows } = await desk.pool.query<{ n: number }>(`select count(*)::int n ${FREE_JOBS}`, [given.order, now]);
  const reason = refuseRun({ order: found, freeJobs: rows[0]?.n ?? 0, now });
  if (reason !== undefined || found === undefined) return { ok: false, reason: reason ?? "unknown-order" };
  const run = randomUUID();
  const { recipient } = found;
  const draft = {
    ...{ kind: "run-opened", recipient, reference: run, actor: given.actor, order: given.order },
    at: now.toISOString(),
    detail: JSON.stringify({
      jobs: Math.min(given.jobs ?? rows[0]?.n ?? 0, rows[0]?.n ?? 0),
      until: until.toISOString(),
    }),
  };
  const { value: jobs } = await recordEntries(desk, [draft], (client) =>
    insertRun(client, { ...given, run, recipient, now, until }),
  );
  desk.log.debug({ run, order: given.order, jobs }, "run opened");
  return { ok: true, run: { run, order: given.order, recipient, jobs, until: until.toISOString() } };
}

async function findOrder(desk: Desk, order: string) {
  const { rows } = await desk.pool.query<{ state: string; recipient: string; expiresAt: Date }>(
    `select state, recipient, expires_at "expiresAt" from "order" where id = $1`,
    [order],
  );
  return rows[0];
}

async function insertRun(
  client: PoolClient,
  given: {
    run: string;
    order: string;
    recipient: string;
    jobs: number | undefined;
    now: Date;
    until: Date;
    actor: string;
  },
): Promise<number> {
  const { run, order, recipient, now, until, actor } = given;
  // Two runs opened at once must not share a job.
  await client.query(`select 1 from "order" where id = $1 for update`, [order]);
  await client.query(
    `insert into run (id, recipient, order_id, state, opened_by, opened_at, until, jobs)
     values ($1, $2, $3, 'open', $4, $5, $6, 0)`,
    [run, recipient, order, actor, now, until],
  );
  const { rowCount } = await client.query(
    `insert into run_job (run_id, job_id) select $3, j.id ${FREE_JOBS} order by j.id limit $4`,
    [order, now, run, given.jobs ?? null],
  );
  await client.query("update run set jobs = $2 where id = $1", [run, rowCount]);
  return rowCount ?? 0;
}

/** Closes a run: nothing of it is released any more, and what the keyholder journalled so far is fixed by the ledger. */
export async function closeRun(
  desk: Desk,
  given: { run: string; actor: string },
): Promise<{ readonly ok: true } | Refused> {
  const { rows } = await desk.pool.query<{ state: string; recipient: string; order: string }>(
    `select state, recipient, order_id "order" from run where id = $1`,
    [given.run],
  );
  const run = rows[0];
  if (run === undefined) return { ok: false, reason: "unknown-run" };
  if (run.state === "closed") return { ok: false, reason: "run-closed" };
  const at = desk.now();
  const draft = {
    ...{ kind: "run-closed", recipient: run.recipient, reference: given.run, actor: given.actor, order: run.order },
    at: at.toISOString(),
    detail: JSON.stringify({ run: given.run }),
  };
  await recordEntries(desk, [draft], (client) =>
    client.query("update run set state = 'closed', closed_at = $2 where id = $1 and state = 'open'", [given.run, at]),
  );
  desk.log.debug({ run: given.run, order: run.order }, "run closed");
  // The run is closed whatever becomes of this: the chore records the head within a minute too.
  await recordJournalHead(desk).catch((error: unknown) =>
    desk.log.warn({ err: error, run: given.run }, "the journal's head is not on the ledger yet"),
  );
  return { ok: true };
}
