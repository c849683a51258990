import type { PoolClient } from "pg";

/** A change of a person's record withdraws the person's sealed jobs: what they hold is no longer true. */
export async function withdrawSealedJobs(client: PoolClient, personIds: readonly string[]): Promise<number> {
  const { rowCount } = await client.query(
    "update job set state = 'cancelled', wrapped = null where person_id = any($1::uuid[]) and state = 'sealed'",
    [personIds],
  );
  return rowCount ?? 0;
}
