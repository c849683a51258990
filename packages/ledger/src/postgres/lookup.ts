import type { Pool } from "pg";
import { concat, toHex } from "../bytes.ts";

/** An entry as the database has it. `index` is `undefined` while it waits to be sequenced. */
export type StoredEntry = {
  readonly operationId: Uint8Array;
  readonly index: number | undefined;
  readonly leaf: Uint8Array;
  readonly openings: Uint8Array;
};

type Row = { operation_id: Uint8Array; idx: string | null; leaf: Uint8Array; openings: Uint8Array };

/** The entries of these operations, in the order asked; `undefined` for what was never accepted. */
export const findEntries = async (
  pool: Pool,
  operationIds: readonly Uint8Array[],
): Promise<readonly (StoredEntry | undefined)[]> => {
  const { rows } = await pool.query<Row>(
    `select operation_id, idx, leaf, openings from ledger.intake left join ledger.entry using (seq)
     where operation_id = any($1::bytea[])`,
    [operationIds],
  );
  const found = new Map(
    rows.map(({ operation_id, idx, leaf, openings }) => [
      toHex(operation_id),
      { operationId: operation_id, index: idx === null ? undefined : Number(idx), leaf, openings },
    ]),
  );
  return operationIds.map((id) => found.get(toHex(id)));
};

const NO_PARTS = new Uint8Array(4);

/**
 * The openings of these operations without their subject and actor parts (docs/spec/entry.md, section 5): what opens the
 * event needs, at a fifth of the bytes. In the order asked; `undefined` for what was never accepted.
 */
export const findEvents = async (
  pool: Pool,
  operationIds: readonly Uint8Array[],
): Promise<readonly (Uint8Array | undefined)[]> => {
  const { rows } = await pool.query<{ operation_id: Uint8Array; event: Uint8Array }>(
    `select operation_id, substring(openings for 3 + 256 * get_byte(openings, 1) + get_byte(openings, 2)) as event
     from ledger.intake where operation_id = any($1::bytea[])`,
    [operationIds],
  );
  const found = new Map(rows.map(({ operation_id, event }) => [toHex(operation_id), concat([event, NO_PARTS])]));
  return operationIds.map((id) => found.get(toHex(id)));
};

/** The indexes of these operations, in the order asked: `null` while it waits, `undefined` for what was never accepted. */
export const findIndexes = async (
  pool: Pool,
  operationIds: readonly Uint8Array[],
): Promise<readonly (number | null | undefined)[]> => {
  const { rows } = await pool.query<Pick<Row, "operation_id" | "idx">>(
    `select operation_id, idx from ledger.intake left join ledger.entry using (seq)
     where operation_id = any($1::bytea[])`,
    [operationIds],
  );
  const found = new Map(rows.map(({ operation_id, idx }) => [toHex(operation_id), idx === null ? null : Number(idx)]));
  return operationIds.map((id) => found.get(toHex(id)));
};

export type Placed = { readonly operationId: Uint8Array; readonly index: number; readonly leaf: Uint8Array };

/** Those of the operations that have an index below `size`. */
export const findPlaced = async (
  pool: Pool,
  operationIds: readonly Uint8Array[],
  size: number,
): Promise<readonly Placed[]> => {
  const { rows } = await pool.query<{ operation_id: Uint8Array; idx: string; leaf: Uint8Array }>(
    `select operation_id, idx, leaf from ledger.intake join ledger.entry using (seq)
     where operation_id = any($1::bytea[]) and idx < $2`,
    [operationIds, size],
  );
  return rows.map(({ operation_id, idx, leaf }) => ({ operationId: operation_id, index: Number(idx), leaf }));
};
