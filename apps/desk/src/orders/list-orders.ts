import type { Pool } from "pg";

/** The last orders, newest first, or one of them, with how many of its jobs are in each state. */
export async function listOrders(pool: Pool, order: string | null = null) {
  const { rows } = await pool.query<{
    order: string;
    recipient: string;
    state: string;
    jobs: number;
    createdAt: Date;
    expiresAt: Date;
    digest: string | null;
    states: Record<string, number>;
  }>(
    `select o.id "order", o.recipient, o.state, o.jobs, o.created_at "createdAt", o.expires_at "expiresAt",
       encode(o.file_digest, 'hex') digest,
       coalesce((select json_object_agg(state, n) from
         (select state, count(*)::int n from job where order_id = o.id group by state) s), '{}') states
     from "order" o where ($1::uuid is null or o.id = $1) order by o.created_at desc limit 500`,
    [order],
  );
  return rows;
}
