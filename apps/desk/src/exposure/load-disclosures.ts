import type { Desk } from "../desk.ts";
import type { Disclosure } from "./compute-exposure.ts";
import type { FactsReader } from "./facts-reader.ts";

type Row = {
  operation_id: Buffer;
  job_id: string;
  receipt_at: Date | null;
  scanned_at: Date | null;
};

export type Asking = {
  readonly recipient: string;
  readonly from: Date;
  readonly to: Date;
  readonly actor: string;
};

/**
 * What was released to a recipient before the window's end: every release that has no signed cancellation. Rank, post
 * sensitivity and categories come out of the ledger's entries, which the keyholder opens under pseudonyms and journals.
 */
export async function loadDisclosures(desk: Desk, reader: FactsReader, asking: Asking): Promise<Disclosure[]> {
  const { recipient, from, to, actor } = asking;
  const { rows } = await desk.pool.query<Row>(
    `select r.operation_id, r.job_id, job.receipt_at, job.scanned_at
     from release r join job on job.id = r.job_id
     where r.recipient = $1 and r.state <> 'cancelled' and r.reserved_at < $2 order by r.reserved_at`,
    [recipient, to],
  );
  const reason = `exposure of ${recipient} ${from.toISOString()} ${to.toISOString()}`;
  const operations = rows.map((row) => row.operation_id);
  const facts = await reader.read(operations, { reason, actor });
  const byJob = new Map<string, Disclosure>();
  for (const [at, row] of rows.entries()) {
    const disclosed = facts[at];
    // The first release of a job counts; a further attempt discloses the same again.
    if (disclosed === undefined || byJob.has(row.job_id)) continue;
    const [receiptAtMs, scannedAtMs] = [row.receipt_at?.getTime() ?? null, row.scanned_at?.getTime() ?? null];
    byJob.set(row.job_id, { ...disclosed, job: row.job_id, receiptAtMs, scannedAtMs });
  }
  return [...byJob.values()];
}

/** People of whom this recipient has a sealed job and nothing more, at the window's end. */
export async function countNeverReleased(desk: Desk, { recipient, to }: Asking): Promise<number> {
  const { rows } = await desk.pool.query<{ n: string }>(
    `select count(*) n from (
       select job.person_id from job join "order" o on o.id = job.order_id
       left join release r on r.job_id = job.id and r.state <> 'cancelled' and r.reserved_at < $2
       where job.recipient = $1 and o.created_at < $2
       group by job.person_id having count(r.operation_id) = 0) as people`,
    [recipient, to],
  );
  return Number(rows[0]?.n);
}
