import { rawRequestSchema } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";

const BATCH = 1024;

/**
 * Tells the keyholder of receipts and scans that it has not counted yet. It counts each job once, so telling it twice
 * after a crash is harmless.
 */
export async function settleCounters(desk: Desk): Promise<void> {
  while ((await countReceipts(desk)) === BATCH) {}
  while ((await countAccounted(desk)) === BATCH) {}
}

async function countReceipts(desk: Desk): Promise<number> {
  const { rows } = await desk.pool.query<{ job_id: string; request: unknown; agreement_digest: Buffer }>({
    name: "receipts-uncounted",
    text: `select receipt.job_id, receipt.request, o.agreement_digest from receipt
       join job on job.id = receipt.job_id join "order" o on o.id = job.order_id
       where not receipt.counted limit $1`,
    values: [BATCH],
  });
  if (rows.length === 0) return 0;
  const { counted } = await desk.keyholder.call("receipts/count", {
    receipts: rows.map((row) => ({
      agreement: row.agreement_digest.toString("hex"),
      request: rawRequestSchema.parse(row.request),
    })),
  });
  const refused = rows.filter((_, at) => counted[at] !== true).map((row) => row.job_id);
  if (refused.length > 0) desk.log.error({ jobs: refused }, "the keyholder does not count these receipts");
  await desk.pool.query("update receipt set counted = true where job_id = any($1::uuid[])", [
    rows.map((row) => row.job_id),
  ]);
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
