import type { KeyholderResponse } from "@tipstaff/release-protocol";
import { z } from "zod";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";
import type { Disclosure } from "./compute-exposure.ts";

/** Entries in one question to the keyholder: with openings about 5 KB each. */
const BATCH = 8192;

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
export async function loadDisclosures(desk: Desk, asking: Asking): Promise<Disclosure[]> {
  const { rows } = await desk.pool.query<Row>(
    `select r.operation_id, r.job_id, job.receipt_at, job.scanned_at
     from release r join job on job.id = r.job_id
     where r.recipient = $1 and r.state <> 'cancelled' and r.reserved_at < $2 order by r.reserved_at`,
    [asking.recipient, asking.to],
  );
  const byJob = new Map<string, Disclosure>();
  for (let start = 0; start < rows.length; start += BATCH) {
    const batch = rows.slice(start, start + BATCH);
    const facts = await openFacts(desk, batch, asking);
    for (const [at, row] of batch.entries()) {
      // The first release of a job counts; a further attempt discloses the same again.
      if (!byJob.has(row.job_id)) byJob.set(row.job_id, toDisclosure(row, facts[at]));
    }
  }
  return [...byJob.values()];
}

type Facts = KeyholderResponse<"facts/open">["facts"][number];

/** The keyholder remembers what it opened before; only of the others does it need the openings. */
async function openFacts(desk: Desk, rows: readonly Row[], { recipient, from, to, actor }: Asking): Promise<Facts[]> {
  const reason = `exposure of ${recipient} ${from.toISOString()} ${to.toISOString()}`;
  const ids = rows.map((row) => row.operation_id.toString("base64url"));
  const ask = (entries: { operationId: string; openings: string }[]) =>
    desk.keyholder.call("facts/open", { reason, actor, entries });
  const { facts } = await ask(ids.map((operationId) => ({ operationId, openings: "" })));
  const missing = rows.map((_, at) => at).filter((at) => facts[at] === null);
  if (missing.length === 0) return facts;
  const operations = missing.flatMap((at) => rows[at]?.operation_id ?? []);
  const entries = await desk.sequencer.entries(operations);
  const opened = await ask(
    entries.map((entry, place) => ({
      operationId: operations[place]?.toString("base64url") ?? "",
      openings: entry === undefined ? "" : Buffer.from(entry.openings).toString("base64url"),
    })),
  );
  const all = [...facts];
  for (const [place, at] of missing.entries()) all[at] = opened.facts[place] ?? null;
  return all;
}

const releaseFacts = z.object({
  categories: z.array(z.string()),
  postSensitivity: z.string(),
  pseudonym: z.string(),
  rank: z.string(),
});

function toDisclosure(row: Row, opened: Facts | undefined): Disclosure {
  // Leaving it out would make the recipient look better than it is.
  if (opened === null || opened === undefined) {
    throw new DeskError("broken-invariant", "The keyholder cannot open a release's entry, so no exposure can be told");
  }
  const { pseudonym, categories, rank, postSensitivity } = releaseFacts.parse(JSON.parse(opened.facts));
  return {
    ...{ pseudonym, categories, rank, postSensitivity },
    job: row.job_id,
    releasedAtMs: Date.parse(opened.at),
    receiptAtMs: row.receipt_at?.getTime() ?? null,
    scannedAtMs: row.scanned_at?.getTime() ?? null,
  };
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
