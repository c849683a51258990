import type { Pool } from "pg";
import { inTransaction } from "../entries/record-entries.ts";

/**
 * Gives back the approvals of jobs that ended without a card (cancelled, expired, spoiled): their cards are void, and
 * the same approval stands for a new card in the next order.
 */
export async function freeRequests(pool: Pool): Promise<number> {
  return inTransaction(pool, async (client) => {
    await client.query(
      `update card set validity = 'void' from job
       where job.card_id = card.id and job.state in ('cancelled', 'expired') and card.validity = 'inactive'`,
    );
    const { rowCount } = await client.query(
      `update request r set state = 'approved'
       where state = 'ordered' and exists (select 1 from card where request_id = r.id)
         and not exists (select 1 from card where request_id = r.id and validity <> 'void')
         and not exists (select 1 from request o where o.person_id = r.person_id and o.kind = r.kind
                         and o.state in ('requested', 'approved'))`,
    );
    return rowCount ?? 0;
  });
}
