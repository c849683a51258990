import type { ClientBase, Pool } from "pg";

/** Entries that came back from the folder into a database that had lost them, and what else it knew of them. */
export type Restore = { readonly id: string; readonly at: Date; readonly fromSize: number; readonly toSize: number };

type Row = { id: string; at: Date; from_size: string; to_size: string };

/** The restores that the log's user has not dealt with, the oldest first. */
export const openRestores = async (pool: Pool | ClientBase): Promise<readonly Restore[]> => {
  const { rows } = await pool.query<Row>(
    "select id, at, from_size, to_size from ledger.restore where settled_at is null order by id",
  );
  return rows.map(({ id, at, from_size, to_size }) => ({
    ...{ id, at },
    fromSize: Number(from_size),
    toSize: Number(to_size),
  }));
};

/** Notes, within the caller's transaction where there is one, that these were dealt with. */
export const settleRestores = async (pool: Pool | ClientBase, ids: readonly string[]): Promise<void> => {
  await pool.query("update ledger.restore set settled_at = now() where id = any($1::bigint[]) and settled_at is null", [
    ids,
  ]);
};
