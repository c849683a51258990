import type { PoolClient } from "pg";
import { withdrawSealedJobs } from "../people/withdraw-jobs.ts";

/**
 * Empties the rows of people whom the log says were erased since the backup: their roots are gone at the keyholder, and
 * what came back of them is ciphertext that nobody can read.
 */
export async function eraseAgain(client: PoolClient, people: readonly string[], at: Date): Promise<void> {
  await client.query(
    `update person set presence = 'erased', details = null, portrait = null, fingerprint = null,
       portrait_fingerprint = null, warrant_index = null, pay_index = null, record_version = record_version + 1,
       root_erased_at = $2
     where id = any($1::uuid[]) and presence <> 'erased'`,
    [people, at],
  );
  await withdrawSealedJobs(client, people);
}
