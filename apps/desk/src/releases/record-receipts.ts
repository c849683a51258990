import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import type { Draft } from "../entries/number-drafts.ts";
import { oneTrip } from "../entries/one-trip.ts";
import { type RecordedEntry, recordEntries } from "../entries/record-entries.ts";
import type { LoadedReceipt } from "./load-receipts.ts";
import { freeLines, voidCards } from "./store-outcomes.ts";

/** Records receipts that were judged acceptable; `moved` when one of the jobs is not what it was judged by any more. */
export async function recordReceipts(desk: Desk, receipts: readonly LoadedReceipt[]): Promise<"recorded" | "moved"> {
  const now = desk.now();
  try {
    await recordEntries(
      desk,
      receipts.map((loaded) => toDraft(loaded, now)),
      (client, entries) => writeReceipts(client, { receipts, entries, now }),
    );
    return "recorded";
  } catch (error) {
    if (error instanceof JobMoved || isDuplicate(error)) return "moved";
    throw error;
  }
}

class JobMoved extends Error {}

function isDuplicate(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}

function toDraft({ asked, person }: LoadedReceipt, now: Date): Draft {
  const { recipient, agreement, order, job, attempt, line, result, blank, reason, resolved, at } = asked.receipt;
  const said = { result, line, blank, declaredAt: at, ...(reason && { reason }), ...(resolved && { resolved }) };
  return {
    kind: "receipt",
    reference: job,
    at: now.toISOString(),
    request: asked.digest,
    detail: JSON.stringify(said),
    ...{ recipient, agreement, order, job, attempt },
    ...(person === null ? {} : { subject: person }),
  };
}

type Writing = {
  readonly receipts: readonly LoadedReceipt[];
  readonly entries: readonly RecordedEntry[];
  readonly now: Date;
};

async function writeReceipts(client: PoolClient, writing: Writing): Promise<void> {
  const { receipts } = writing;
  const { rows } = await client.query<{ recipient: string; line: string | null }>({
    name: "receipt-lock-jobs",
    text: `select recipient, line from job where id = any($1::uuid[]) and state in ('released', 'uncertain')
        order by id for no key update`,
    values: [jobsOf(receipts)],
  });
  if (rows.length !== receipts.length) throw new JobMoved();
  await oneTrip(client, [
    () => insertReceipts(client, writing),
    () => endJobs(client, writing),
    () => freeLines(client, rows),
  ]);
}

const jobsOf = (receipts: readonly LoadedReceipt[]): string[] => receipts.map(({ asked }) => asked.receipt.job);

async function insertReceipts(client: PoolClient, { receipts, entries, now }: Writing): Promise<void> {
  await client.query({
    name: "receipt-insert",
    text: `insert into receipt (job_id, attempt, digest, request, operation_id, received_at)
     select job, attempt, digest, request, operation, $1
     from unnest($2::uuid[], $3::int[], $4::bytea[], $5::jsonb[], $6::bytea[])
       as t(job, attempt, digest, request, operation)`,
    values: [
      now,
      jobsOf(receipts),
      receipts.map(({ asked }) => asked.receipt.attempt),
      receipts.map(({ asked }) => Buffer.from(asked.digest, "hex")),
      receipts.map(({ asked }) => JSON.stringify(asked.raw)),
      entries.map(({ operationId }) => operationId),
    ],
  });
}

/** The job ends, and the force's copy of its key with it. */
async function endJobs(client: PoolClient, { receipts, now }: Writing): Promise<void> {
  const results = receipts.map(({ asked }) => asked.receipt.result);
  const blanks = receipts.map(({ asked }) => asked.receipt.blank);
  const spoiled = receipts.flatMap(({ asked, card }) =>
    asked.receipt.result === "spoiled" && card !== null ? [card] : [],
  );
  await oneTrip(client, [
    () =>
      client.query({
        name: "receipt-end-jobs",
        text: `update job set state = t.result, result = t.result, blank = t.blank, receipt_at = $1, wrapped = null
       from unnest($2::uuid[], $3::text[], $4::text[]) as t(id, result, blank) where job.id = t.id`,
        values: [now, jobsOf(receipts), results, blanks],
      }),
    () =>
      client.query({
        name: "receipt-blanks",
        text: "update card set blank = t.blank from unnest($1::uuid[], $2::text[]) as t(id, blank) where card.id = t.id",
        values: [receipts.map(({ card }) => card), blanks],
      }),
    () => voidCards(client, { cards: spoiled, now, what: "spoiled at the bureau" }),
  ]);
}
