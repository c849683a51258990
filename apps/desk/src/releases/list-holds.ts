import type { Pool } from "pg";

export type ListedHold = {
  readonly id: string;
  readonly recipient: string;
  readonly reason: string;
  readonly detail: unknown;
  readonly placedBy: string | null;
  readonly placedAt: Date;
  readonly liftAskedBy: string | null;
  readonly liftedBy: string | null;
  readonly liftedAt: Date | null;
};

/** The holds that stand, or all that ever did; the newest first. */
export async function listHolds(
  pool: Pool,
  { recipient, all }: { recipient: string | undefined; all: boolean },
): Promise<ListedHold[]> {
  const { rows } = await pool.query<ListedHold>(
    `select id, recipient, reason, detail, placed_by "placedBy", placed_at "placedAt", lift_asked_by "liftAskedBy",
       lifted_by "liftedBy", lifted_at "liftedAt"
     from hold where ($1::text is null or recipient = $1) and ($2 or lifted_at is null)
     order by placed_at desc limit 1000`,
    [recipient ?? null, all],
  );
  return rows;
}
