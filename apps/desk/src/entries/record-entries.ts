import type { Pool, PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";
import { appendEntries } from "./append-entries.ts";
import { type CountMove, type Draft, numberDrafts } from "./number-drafts.ts";
import { oneTrip } from "./one-trip.ts";
import { type PreparedEntry, prepareEntries } from "./prepare-entries.ts";

const MAX_TRIES = 8;
const BEGIN = "begin; set local lock_timeout = '10s'";
/** Deadlock, serialisation failure, lock timeout: the same may go well the next time. */
const TRANSIENT = new Set(["40P01", "40001", "55P03"]);

/** What `business` is told of the entries, in the order of the drafts. */
export type RecordedEntry = Pick<PreparedEntry, "operationId" | "leafHash">;

export type Recorded<T> = { readonly value: T; readonly operationIds: readonly Buffer[] };

/**
 * The one way to write what stands on the ledger: entries and `business` commit together or not at all.
 * The keyholder prepares the entries first; somebody else's entry about the same person in between means preparing
 * again, so `business` may run several times and must do nothing but what its client rolls back. What it throws is
 * thrown. A person's rows are locked before `business` runs: lock jobs, lines and recipients after people, in this order.
 */
export async function recordEntries<T>(
  desk: Pick<Desk, "pool" | "keyholder" | "sequencer">,
  drafts: readonly Draft[],
  business: (client: PoolClient, entries: readonly RecordedEntry[]) => Promise<T>,
): Promise<Recorded<T>> {
  for (let tries = 1; ; tries += 1) {
    const counts = await readCounts(desk.pool, drafts);
    const numbered = numberDrafts(drafts, counts);
    if (!numbered.ok) throw new DeskError("broken-invariant", "An entry is about somebody who is not in the register");
    const prepared = await prepareEntries(desk.keyholder, numbered.entries);
    try {
      const value = await inTransaction(desk.pool, async (client) => {
        if (!(await moveCounts(client, numbered.moves))) throw new CountMoved();
        const [made] = await oneTrip(client, [() => business(client, prepared), () => appendEntries(client, prepared)]);
        return made;
      });
      if (prepared.length > 0) desk.sequencer.wake();
      return { value, operationIds: prepared.map((entry) => entry.operationId) };
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (tries >= MAX_TRIES) {
        const words = "Others kept writing about the same people; nothing was recorded, ask again";
        throw new DeskError("unavailable", words, { cause: error });
      }
    }
  }
}

/** Somebody else recorded an entry about one of the same people. */
class CountMoved extends Error {}

function isTransient(error: unknown): boolean {
  if (error instanceof CountMoved) return true;
  return error instanceof Error && "code" in error && typeof error.code === "string" && TRANSIENT.has(error.code);
}

async function readCounts(pool: Pool, drafts: readonly Draft[]): Promise<Map<string, number>> {
  const people = [...new Set(drafts.flatMap(({ subject }) => (subject === undefined ? [] : [subject])))];
  if (people.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; tag_n: string }>({
    name: "person-counts",
    text: "select id, tag_n from person where id = any($1::uuid[])",
    values: [people],
  });
  return new Map(rows.map((row) => [row.id, Number(row.tag_n)]));
}

/** Compares and sets every person's count; false when one had moved. */
export async function moveCounts(client: PoolClient, moves: readonly CountMove[]): Promise<boolean> {
  if (moves.length === 0) return true;
  // Sorted, so that two transactions about the same people wait for each other and do not lock each other out.
  const people = moves.map((move) => move.person).sort();
  const [, moved] = await oneTrip(client, [
    () =>
      client.query({
        name: "person-counts-lock",
        text: "select 1 from person where id = any($1::uuid[]) order by id for no key update",
        values: [people],
      }),
    () =>
      client.query({
        name: "person-counts-move",
        text: `update person set tag_n = move.to_n
       from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as move(id, from_n, to_n)
       where person.id = move.id and person.tag_n = move.from_n`,
        values: [moves.map((move) => move.person), moves.map((move) => move.from), moves.map((move) => move.to)],
      }),
  ]);
  return moved.rowCount === moves.length;
}

/**
 * Runs `work` in one transaction, in which no lock is waited for longer than ten seconds. `unhurried`: its commit does not
 * wait for the disk, since a crash of the database loses nothing that is not found again.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  { unhurried }: { readonly unhurried: boolean } = { unhurried: false },
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(unhurried ? `${BEGIN}; set local synchronous_commit = off` : BEGIN);
    const value = await work(client);
    await client.query("commit");
    return value;
  } catch (error) {
    await client.query("rollback").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
