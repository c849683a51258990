import type { Pool } from "pg";
import type { LoadedReceipt } from "./load-receipts.ts";

/**
 * A receipt that came back from the log lacks the bureau's signature, without which the keyholder does not count it. Sent
 * once more, the same receipt brings it back.
 */
export async function keepSignatures(pool: Pool, receipts: readonly LoadedReceipt[]): Promise<void> {
  if (receipts.length === 0) return;
  await pool.query(
    `update receipt set request = t.request, counted = false from unnest($1::uuid[], $2::jsonb[]) as t(job, request)
     where receipt.job_id = t.job and receipt.request is null`,
    [receipts.map(({ asked }) => asked.receipt.job), receipts.map(({ asked }) => JSON.stringify(asked.raw))],
  );
}
