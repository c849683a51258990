import type { Pool } from "pg";
import type { Desk } from "../desk.ts";
import type { Chore } from "../server/chore.ts";
import { takeCensus } from "./take-census.ts";

const LONGEST_MS = 24 * 3_600_000;

/**
 * A census after each closed run and once a day. The run is closed whatever becomes of its census: what failed is due
 * still, and tried again.
 */
export const CENSUS_CHORE: Chore = {
  name: "census",
  everyMs: 10_000,
  run: async (desk) => {
    if (await isCensusDue(desk)) await takeCensus(desk);
  },
};

/** Whether a run closed since the last census, or a day went by; never while a restore is open. */
export async function isCensusDue(desk: Pick<Desk, "pool" | "now">): Promise<boolean> {
  const { rows } = await desk.pool.query<{ due: boolean }>(
    `select (
       coalesce((select max(taken_at) from census), (select made_at from installation)) <= $1
       or exists (select from run where state = 'closed'
                  and closed_at >= coalesce((select max(taken_at) from census), '-infinity'))
     ) due`,
    [new Date(desk.now().getTime() - LONGEST_MS)],
  );
  return rows[0]?.due === true && !(await isRestoreOpen(desk.pool));
}

/** Whether the database was restored and that is not settled: its counts may be too low, and a census is for ever. */
export async function isRestoreOpen(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query("select from hold where reason = 'restored' and lifted_at is null limit 1");
  return rowCount !== 0;
}
