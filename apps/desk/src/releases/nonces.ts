import { CLOCK_SKEW_SECONDS } from "@tipstaff/release-protocol";
import type { Pool } from "pg";
import { createBatcher } from "./batcher.ts";

type Use = { readonly keyid: string; readonly nonce: string; readonly expires: number };

const toKey = ({ keyid, nonce }: Use): string => `${keyid} ${nonce}`;

/** Remembers the nonces of signed requests, many in one statement; `use` answers false where one was used before. */
export function createNonces(pool: Pool): { use: (use: Use) => Promise<boolean> } {
  return { use: createBatcher({ max: 512, work: (uses: readonly Use[]) => insertNonces(pool, uses) }) };
}

// A nonce that a crash of the database forgets does no harm: a release asked for again is a retry, and a receipt the same
// receipt. So this does not wait for the disk.
async function insertNonces(pool: Pool, uses: readonly Use[]): Promise<boolean[]> {
  const { rows } = await pool.query<{ keyid: string; nonce: string }>({
    name: "nonces-use",
    text: `with unhurried as (select set_config('synchronous_commit', 'off', true))
     insert into nonce (keyid, nonce, expires_at)
     select used.* from unnest($1::text[], $2::text[], $3::timestamptz[]) as used, unhurried
     on conflict do nothing returning keyid, nonce`,
    values: [
      uses.map((use) => use.keyid),
      uses.map((use) => use.nonce),
      uses.map((use) => new Date((use.expires + CLOCK_SKEW_SECONDS) * 1000)),
    ],
  });
  const fresh = new Set(rows.map((row) => toKey({ ...row, expires: 0 })));
  // Deleting makes the second of two in one batch a repeat.
  return uses.map((use) => fresh.delete(toKey(use)));
}

/** Forgets the nonces of requests that are too old to be accepted anyway. */
export async function forgetNonces(pool: Pool, now: Date): Promise<void> {
  await pool.query("delete from nonce where expires_at < $1", [now]);
}
