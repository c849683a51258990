import { rawRequestSchema } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";

const BATCH = 1024;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15 * 60_000;

type Refused = { readonly waitMs: number; readonly againAtMs: number };

/** Receipts that the keyholder did not count when it was last asked, by job. Forgotten with the process: then all are asked again. */
const refusedBy = new WeakMap<Desk, Map<string, Refused>>();

/**
 * Tells the keyholder of receipts and scans that it has not counted yet. It counts each job once, so telling it twice
 * after a crash is harmless. A receipt that it does not count stays uncounted, since it may yet hear of the key that
 * signed it; it is told again ever more seldom.
 */
export async function settleCounters(desk: Desk): Promise<void> {
  await Promise.all([untilFewer(() => countReceipts(desk)), untilFewer(() => countAccounted(desk))]);
}

async function untilFewer(countBatch: () => Promise<number>): Promise<void> {
  while ((await countBatch()) === BATCH) {}
}

async function countReceipts(desk: Desk): Promise<number> {
  const refused = refusedBy.get(desk) ?? new Map<string, Refused>();
  refusedBy.set(desk, refused);
  const nowMs = desk.now().getTime();
  const waiting = [...refused].filter(([, { againAtMs }]) => againAtMs > nowMs).map(([job]) => job);
  const { rows } = await desk.pool.query<{ job_id: string; request: unknown; agreement_digest: Buffer }>({
    name: "receipts-uncounted",
    text: `select receipt.job_id, receipt.request, coalesce(o.agreement_digest, job.logged_agreement) agreement_digest
       from receipt join job on job.id = receipt.job_id left join "order" o on o.id = job.order_id
       where not receipt.counted and receipt.request is not null and receipt.job_id <> all($2::uuid[]) limit $1`,
    values: [BATCH, waiting],
  });
  if (rows.length === 0) return 0;
  const { counted } = await desk.keyholder.call("receipts/count", {
    receipts: rows.map((row) => ({
      agreement: row.agreement_digest.toString("hex"),
      request: rawRequestSchema.parse(row.request),
    })),
  });
  const jobs = rows.map((row) => row.job_id);
  const done = jobs.filter((_, at) => counted[at] === true);
  for (const job of done) refused.delete(job);
  const fresh = jobs.filter((job, at) => counted[at] !== true && !refused.has(job));
  if (fresh.length > 0) desk.log.warn({ jobs: fresh }, "the keyholder does not count these receipts");
  for (const job of jobs.filter((_, at) => counted[at] !== true)) {
    const waitMs = Math.min((refused.get(job)?.waitMs ?? FIRST_RETRY_MS / 2) * 2, LONGEST_RETRY_MS);
    refused.set(job, { waitMs, againAtMs: nowMs + waitMs });
  }
  await desk.pool.query({
    name: "receipts-counted",
    text: "update receipt set counted = true where job_id = any($1::uuid[])",
    values: [done],
  });
  return rows.length;
}

async function countAccounted(desk: Desk): Promise<number> {
  const { rows } = await desk.pool.query<{ job_id: string; actor: string; recipient: string }>({
    name: "accounted-queued",
    text: `select q.job_id, q.actor, job.recipient from accounted_queue q join job on job.id = q.job_id
       order by q.at limit $1`,
    values: [BATCH],
  });
  const groups = Map.groupBy(rows, (row) => `${row.recipient} ${row.actor}`);
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const jobs = group.map((row) => row.job_id);
    await desk.keyholder.call("accounted/count", { recipient: first.recipient, jobs, actor: first.actor });
    await desk.pool.query("delete from accounted_queue where job_id = any($1::uuid[])", [jobs]);
  }
  return rows.length;
}
