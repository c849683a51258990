import type { Pool } from "pg";

export type ListedDisclosure = {
  readonly id: string;
  readonly recipient: string;
  readonly from: Date;
  readonly to: Date | null;
  readonly categories: readonly string[];
  readonly people: number;
  /** As it was given first. */
  readonly reason: string;
  /** Null for one that came back from the log after a restore. */
  readonly declaredBy: string | null;
  readonly declaredAt: Date;
};

/** What was declared, the newest first. */
export async function listDisclosures(pool: Pool, recipient: string | undefined): Promise<ListedDisclosure[]> {
  const { rows } = await pool.query<ListedDisclosure>(
    `select id, recipient, from_at "from", to_at "to", categories, reason, declared_by "declaredBy",
       declared_at "declaredAt", (select count(*)::int from disclosure_person where disclosure_id = id) people
     from disclosure where $1::text is null or recipient = $1 order by declared_at desc limit 1000`,
    [recipient ?? null],
  );
  return rows;
}
