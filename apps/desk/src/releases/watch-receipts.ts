import { parseAgreement, toLimits } from "@tipstaff/agreement";
import type { Desk } from "../desk.ts";
import { placeHold } from "./place-hold.ts";

/** Most overdue jobs that are held in one look; the first stops the recipient already. */
const BATCH = 100;

type OverdueRow = { id: string; attempt: number; recipient: string; line: string };

/** Holds the recipients of jobs whose receipt is overdue by their agreement. A job trips once for each attempt. */
export async function watchReceipts(desk: Desk): Promise<number> {
  const digests = await unansweredAgreements(desk);
  if (digests.length === 0) return 0;
  const now = desk.now().getTime();
  const { rows } = await desk.pool.query<OverdueRow>({
    name: "receipts-overdue",
    text: `select job.id, job.attempt, job.recipient, job.line
      from job join "order" o on o.id = job.order_id
      join unnest($1::bytea[], $2::timestamptz[]) as due(digest, before) on due.digest = o.agreement_digest
      where job.state = 'released' and job.released_at < due.before and not exists (
        select from hold where hold.reason = 'receipt-overdue' and hold.recipient = job.recipient
          and hold.detail->>'job' = job.id::text and hold.detail->>'attempt' = job.attempt::text)
      limit $3`,
    values: [
      digests.map(({ digest }) => digest),
      digests.map(({ withinSeconds }) => new Date(now - withinSeconds * 1000)),
      BATCH,
    ],
  });
  for (const { id: job, attempt, recipient, line } of rows) {
    await placeHold(desk, { recipient, reason: "receipt-overdue", detail: { job, attempt, line }, placedBy: null });
  }
  return rows.length;
}

/** By digest, and so for ever: how long a receipt may take. `undefined` where an agreement says nothing of it. */
const withinByDigest = new Map<string, number | undefined>();

/** Also of agreements that were replaced: their receipts are owed all the same. */
async function unansweredAgreements({ pool }: Desk): Promise<{ digest: Buffer; withinSeconds: number }[]> {
  const { rows } = await pool.query<{ digest: Buffer }>({
    name: "agreements-unanswered",
    text: `select distinct o.agreement_digest as digest from job join "order" o on o.id = job.order_id
      where job.state = 'released'`,
  });
  const digests = rows.map(({ digest }) => digest);
  const unread = digests.filter((digest) => !withinByDigest.has(digest.toString("hex")));
  if (unread.length > 0) await readWithin(pool, unread);
  return digests.flatMap((digest) => {
    const withinSeconds = withinByDigest.get(digest.toString("hex"));
    return withinSeconds === undefined ? [] : [{ digest, withinSeconds }];
  });
}

async function readWithin(pool: Desk["pool"], digests: readonly Buffer[]): Promise<void> {
  const { rows } = await pool.query<{ digest: Buffer; bytes: Buffer }>(
    "select digest, bytes from agreement where digest = any($1::bytea[])",
    [digests],
  );
  for (const { digest, bytes } of rows) {
    const parsed = parseAgreement(bytes, { fileName: "agreement" });
    const limits = parsed.ok && parsed.agreement.limits !== undefined ? toLimits(parsed.agreement) : undefined;
    withinByDigest.set(digest.toString("hex"), limits?.receiptWithinSeconds);
  }
}
