import type { Pool } from "pg";
import type { Desk } from "../desk.ts";
import { inTransaction } from "../entries/record-entries.ts";

/**
 * Ends the orders whose time is over: their sealed jobs expire, and the force keeps the key of none of their jobs. Jobs
 * that are under way end by their own rules, but no further attempt of them is made. Answers how many jobs expired.
 */
export async function expireOrders(desk: { readonly pool: Pool; readonly now: Desk["now"] }): Promise<number> {
  return inTransaction(desk.pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `update "order" set state = 'expired' where state = 'sealed' and expires_at <= $1 returning id`,
      [desk.now()],
    );
    const orders = rows.map(({ id }) => id);
    const { rowCount } = await client.query(
      "update job set state = 'expired', wrapped = null where order_id = any($1::uuid[]) and state = 'sealed'",
      [orders],
    );
    await client.query("update job set wrapped = null where order_id = any($1::uuid[]) and wrapped is not null", [
      orders,
    ]);
    return rowCount ?? 0;
  });
}
