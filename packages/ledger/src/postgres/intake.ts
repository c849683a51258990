import type { ClientBase } from "pg";
import { equalBytes, toHex } from "../bytes.ts";
import { isOpeningsOf, parseLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";

/** A prepared entry (docs/spec/entry.md) on its way into the log. */
export type IntakeRow = {
  /** 32 bytes, the same for ever for the same event (`operationId`). */
  readonly operationId: Uint8Array;
  /** SHA-256 of what was asked for; the same operation with another digest is a conflict. */
  readonly requestDigest: Uint8Array;
  readonly leaf: Uint8Array;
  readonly openings: Uint8Array;
};

/** `duplicate`: the same was accepted before, and stands. `conflict`: something else was, under the same id. */
export type IntakeResult = "accepted" | "duplicate" | "conflict";

/** Most rows in one call. */
export const MAX_INTAKE_ROWS = 4096;

/**
 * Puts prepared entries into the intake, inside the caller's own transaction: they are on their way to the log when that
 * commits, and never were when it rolls back. Answers one result a row, in order; whoever sees `conflict` decides. Wake
 * the sequencer after the commit. Throws `entry-invalid` or `leaf-malformed` where id, leaf and openings do not belong
 * together.
 */
export const appendIntake = async (
  client: ClientBase,
  rows: readonly IntakeRow[],
): Promise<readonly IntakeResult[]> => {
  if (rows.length === 0) return [];
  if (rows.length > MAX_INTAKE_ROWS)
    throw new LedgerError("entry-invalid", `at most ${MAX_INTAKE_ROWS} rows in one call`);
  for (const row of rows) assertRow(row);
  const accepted = await insert(client, rows);
  const seen = rows.map(({ operationId }) => toHex(operationId));
  if (accepted.size === rows.length) return rows.map(() => "accepted");
  const digests = await digestsOf(client, rows);
  return rows.map(({ requestDigest }, at): IntakeResult => {
    const id = seen[at] ?? "";
    const known = digests.get(id);
    if (known === undefined || !equalBytes(known, requestDigest)) return "conflict";
    return accepted.delete(id) ? "accepted" : "duplicate";
  });
};

/** Throws unless id, leaf, openings and digest belong together. */
export const assertRow = ({ operationId, requestDigest, leaf, openings }: IntakeRow): void => {
  const fits = equalBytes(parseLeaf(leaf).operationId, operationId) && isOpeningsOf(leaf, openings);
  if (!fits || requestDigest.length !== 32 || openings.length > 0xffff) {
    throw new LedgerError("entry-invalid", "operation id, leaf, openings and request digest do not belong together");
  }
};

const INSERT = `
  with given as (
    select * from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[])
      with ordinality as t(operation_id, request_digest, leaf, openings, place)
  ), added as (
    insert into ledger.intake (operation_id, request_digest, leaf, openings)
    select operation_id, request_digest, leaf, openings from given order by place
    on conflict (operation_id) do nothing
    returning seq, operation_id
  ), queued as (
    insert into ledger.waiting (seq) select seq from added
  )
  select operation_id from added`;

const insert = async (client: ClientBase, rows: readonly IntakeRow[]): Promise<Set<string>> => {
  const { rows: added } = await client.query<{ operation_id: Uint8Array }>({
    name: "ledger-intake",
    text: INSERT,
    values: [
      rows.map(({ operationId }) => operationId),
      rows.map(({ requestDigest }) => requestDigest),
      rows.map(({ leaf }) => leaf),
      rows.map(({ openings }) => openings),
    ],
  });
  return new Set(added.map(({ operation_id }) => toHex(operation_id)));
};

const digestsOf = async (client: ClientBase, rows: readonly IntakeRow[]): Promise<Map<string, Uint8Array>> => {
  const found = await client.query<{ operation_id: Uint8Array; request_digest: Uint8Array }>(
    "select operation_id, request_digest from ledger.intake where operation_id = any($1::bytea[])",
    [rows.map(({ operationId }) => operationId)],
  );
  return new Map(found.rows.map(({ operation_id, request_digest }) => [toHex(operation_id), request_digest]));
};
