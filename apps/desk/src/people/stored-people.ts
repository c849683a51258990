import type { Pool } from "pg";

/** What the register tells of a person without any key. */
export type StoredPerson = {
  readonly id: string;
  readonly present: boolean;
  readonly payIndex: Buffer;
  readonly warrantIndex: Buffer | null;
  readonly fingerprint: Buffer | null;
  readonly portraitFingerprint: Buffer | null;
  readonly recordVersion: number;
};

export async function isRegisterEmpty(pool: Pool): Promise<boolean> {
  return (await pool.query("select 1 from person limit 1")).rows.length === 0;
}

/** Everybody who holds one of these blind indexes. */
export async function findStored(
  pool: Pool,
  pay: readonly Buffer[],
  warrant: readonly Buffer[],
): Promise<StoredPerson[]> {
  const { rows } = await pool.query<StoredPerson>(
    `select id, presence = 'present' present, pay_index "payIndex", warrant_index "warrantIndex", fingerprint,
       portrait_fingerprint "portraitFingerprint", record_version "recordVersion"
     from person where pay_index = any($1::bytea[]) or warrant_index = any($2::bytea[])`,
    [pay, warrant],
  );
  return rows;
}

/** How many people the register holds as present. */
export async function countPresent(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>("select count(*)::int n from person where presence = 'present'");
  return rows[0]?.n ?? 0;
}
