import type { Desk } from "../desk.ts";
import type { DeclaredDisclosure } from "./compute-declared.ts";
import type { Disclosure } from "./compute-exposure.ts";
import type { DisclosedFacts, FactsReader } from "./facts-reader.ts";

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
 * An entry that a restore found shut says nothing of these: it is counted apart.
 */
export async function loadDisclosures(desk: Desk, reader: FactsReader, asking: Asking): Promise<Disclosure[]> {
  const { recipient, to } = asking;
  const { rows } = await desk.pool.query<Row>(
    `select r.operation_id, r.job_id, job.receipt_at, job.scanned_at
     from release r join job on job.id = r.job_id
     where r.recipient = $1 and r.state <> 'cancelled' and r.reserved_at < $2
       and not exists (select from unopened_entry u where u.operation_id = r.operation_id)
     order by r.reserved_at`,
    [recipient, to],
  );
  const facts = await readFacts(reader, rows, asking);
  const byJob = new Map<string, Disclosure>();
  for (const [at, row] of rows.entries()) {
    const disclosed = facts[at];
    // The first release of a job counts; a further attempt discloses the same again.
    if (disclosed === undefined || byJob.has(row.job_id)) continue;
    const [receiptAtMs, scannedAtMs] = [row.receipt_at?.getTime() ?? null, row.scanned_at?.getTime() ?? null];
    const { atMs: releasedAtMs, ...about } = disclosed;
    byJob.set(row.job_id, { ...about, job: row.job_id, releasedAtMs, receiptAtMs, scannedAtMs });
  }
  return [...byJob.values()];
}

function readFacts(
  reader: FactsReader,
  rows: readonly { operation_id: Buffer }[],
  { recipient, from, to, actor }: Asking,
): Promise<DisclosedFacts[]> {
  const reason = `exposure of ${recipient} ${from.toISOString()} ${to.toISOString()}`;
  return reader.read(
    rows.map((row) => row.operation_id),
    { reason, actor },
  );
}

/** What somebody declared was disclosed to a recipient before the window's end, by the ledger's entries. */
export async function loadDeclared(desk: Desk, reader: FactsReader, asking: Asking): Promise<DeclaredDisclosure[]> {
  const { rows } = await desk.pool.query<{ operation_id: Buffer }>(
    `select operation_id from disclosure_person join disclosure d on d.id = disclosure_id
     where d.recipient = $1 and d.from_at < $2`,
    [asking.recipient, asking.to],
  );
  if (rows.length === 0) return [];
  const facts = await readFacts(reader, rows, asking);
  return facts.flatMap(({ declared, ...about }) => (declared === undefined ? [] : [{ ...about, ...declared }]));
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
