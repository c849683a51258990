import type { Desk } from "../desk.ts";
import type { Asking } from "./load-disclosures.ts";

export const UNOPENABLE = "possible exposure, unopenable";

/** Entries that came back after a restore and that nobody can open: not people, since whose they are is not known either. */
export type Unopenable = {
  readonly grade: typeof UNOPENABLE;
  readonly entries: number;
  /** Those of them of which the keyholder remembers that they were released. */
  readonly released: number;
  readonly rows: readonly UnopenableEntry[];
};
export type UnopenableEntry = { readonly index: number; readonly released: boolean; readonly at: Date | null };

/** Every entry that may be about this recipient and before the window's end, which is each of which nobody knows better. */
export async function countUnopenable({ pool }: Pick<Desk, "pool">, { recipient, to }: Asking): Promise<Unopenable> {
  const { rows } = await pool.query<{ idx: string; released: boolean; at: Date | null }>(
    `select idx, released, at from unopened_entry
     where coalesce(recipient, $1) = $1 and coalesce(at < $2, true) order by idx`,
    [recipient, to],
  );
  const entries = rows.map(({ idx, released, at }) => ({ index: Number(idx), released, at }));
  const released = entries.filter((entry) => entry.released).length;
  return { grade: UNOPENABLE, entries: entries.length, released, rows: entries };
}
