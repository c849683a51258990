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

/** Also of agreements that were replaced: their receipts are owed all the same. */
async function unansweredAgreements(desk: Desk): Promise<{ digest: Buffer; withinSeconds: number }[]> {
  const { rows } = await desk.pool.query<{ digest: Buffer; bytes: Buffer }>(
    `select digest, bytes from agreement where digest in (
       select o.agreement_digest from job join "order" o on o.id = job.order_id where job.state = 'released')`,
  );
  return rows.flatMap(({ digest, bytes }) => {
    const parsed = parseAgreement(bytes, { fileName: "agreement" });
    if (!parsed.ok || parsed.agreement.limits === undefined) return [];
    return [{ digest, withinSeconds: toLimits(parsed.agreement).receiptWithinSeconds }];
  });
}
