import { parseCensusDetail } from "@tipstaff/ledger";
import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { Pool } from "pg";
import type { Desk } from "../desk.ts";
import { prepareEntries } from "../entries/prepare-entries.ts";
import { DeskError } from "../server/desk-error.ts";

/** A census that was recorded. */
export type Census = {
  readonly seq: number;
  readonly root: Buffer;
  readonly operationId: Buffer;
  readonly takenAt: Date;
};

/** All censuses, from the first. */
export async function listCensuses(pool: Pool): Promise<readonly Census[]> {
  const { rows } = await pool.query<Census>(
    `select seq, root, operation_id "operationId", taken_at "takenAt" from census order by seq`,
  );
  return rows;
}

export async function findLastCensus(pool: Pool): Promise<Census | undefined> {
  const { rows } = await pool.query<Census>(
    `select seq, root, operation_id "operationId", taken_at "takenAt" from census order by seq desc limit 1`,
  );
  return rows[0];
}

/**
 * The last census of the log: a database that was restored may have forgotten some, which come back here from their own
 * entries. Two censuses of one number would break the chain for everybody.
 */
export async function recallLastCensus(desk: Desk): Promise<Census | undefined> {
  for (let last = await findLastCensus(desk.pool); ; ) {
    const draft = { kind: "census", reference: String((last?.seq ?? 0) + 1), at: desk.now().toISOString() };
    const [next] = await prepareEntries(desk.keyholder, [draft]);
    if (next === undefined || (await desk.sequencer.entry(next.operationId)) === undefined) return last;
    last = await recall(desk, next.operationId, Number(draft.reference));
  }
}

async function recall(desk: Desk, operationId: Buffer, seq: number): Promise<Census> {
  const [shown] = await showCensuses(desk, [operationId]);
  const said = shown && parseCensusDetail(shown.detail.value);
  if (said?.seq !== seq) throw new DeskError("broken-invariant", `The entry of census ${seq} says something else`);
  const census = { seq, root: Buffer.from(said.root), operationId, takenAt: desk.now() };
  await desk.pool.query("insert into census (seq, root, operation_id, taken_at) values ($1, $2, $3, $4)", [
    ...[seq, census.root, operationId, census.takenAt],
  ]);
  desk.log.warn({ seq }, "a census that the database had forgotten was found on the ledger");
  return census;
}

export type ShownField = { readonly value: string; readonly salt: string };
/** A census entry's own words, each with the salt of its commitment (base64url). */
export type ShownCensus = { readonly kind: ShownField; readonly detail: ShownField };

/** Has the keyholder open census entries, in the order given; throws `broken-invariant` where one is none. */
export async function showCensuses(
  desk: Pick<Desk, "keyholder" | "sequencer">,
  operationIds: readonly Buffer[],
): Promise<readonly ShownCensus[]> {
  const shown: ShownCensus[] = [];
  for (let start = 0; start < operationIds.length; start += KEYHOLDER_BATCH) {
    const batch = operationIds.slice(start, start + KEYHOLDER_BATCH);
    const events = await desk.sequencer.events(batch);
    const entries = batch.map((operationId, at) => ({
      operationId: operationId.toString("base64url"),
      openings: Buffer.from(events[at] ?? []).toString("base64url"),
    }));
    const { censuses } = await desk.keyholder.call("census/show", { entries });
    for (const census of censuses) {
      if (census === null) throw new DeskError("broken-invariant", "An entry of a census cannot be opened");
      shown.push(census);
    }
  }
  return shown;
}
