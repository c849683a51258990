import type { ClientBase } from "pg";
import { equalBytes } from "../bytes.ts";
import { sha256 } from "../crypto.ts";
import { parseLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import { type LogReader, readEntries } from "../storage/tile-storage.ts";
import { edgeRoot, emptyEdge, extendEdge, type LogEdge } from "../tree/edge.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import type { Head } from "./head.ts";
import type { KnownHead } from "./head-fits.ts";

/** The first thing in the database that does not fit. */
export type DatabaseFault = {
  readonly place: "database";
  /** The table of the schema `ledger`, and its column where it is known. */
  readonly table: "head" | "entry" | "intake" | "waiting";
  readonly column?: string;
  readonly index?: number;
  /** The first byte of the column that differs, where it is known. */
  readonly byte?: number;
  readonly message: string;
};

type Input = {
  readonly client: ClientBase;
  readonly head: Head;
  readonly out: KnownHead | undefined;
  /** Given where the folder was found to fit its checkpoint: then each leaf is held against it. */
  readonly tiles: LogReader | undefined;
  readonly onProgress: (entries: number) => void;
};

/** The first row, or head, of the database that does not fit; a bundle of rows in memory at a time. */
export const findDatabaseFault = async (input: Input): Promise<DatabaseFault | undefined> =>
  (await findEntryFault(input)) ?? (await findQueueFault(input.client, input.head.size));

const faultOf = (fault: Omit<DatabaseFault, "place">): DatabaseFault => ({ place: "database", ...fault });

const findEntryFault = async (input: Input): Promise<DatabaseFault | undefined> => {
  const { client, head, out } = input;
  const marks = [
    { size: out?.size ?? 0, root: out?.root, said: "the published checkpoint gives", column: "leaf" },
    {
      size: head.publishedSize,
      root: head.publishedRoot,
      said: "the head gives as published",
      column: "published_root",
    },
    { size: head.size, root: head.root, said: "the head gives", column: "root" },
  ];
  let edge: LogEdge = emptyEdge;
  for (;;) {
    const root = edgeRoot(edge);
    for (const mark of marks) {
      if (mark.size !== edge.size || !mark.root || equalBytes(mark.root, root)) continue;
      const message = `the first ${mark.size} entries do not have the root that ${mark.said}`;
      return faultOf({ table: mark.column === "leaf" ? "intake" : "head", column: mark.column, message });
    }
    if (edge.size >= head.size) return undefined;
    const from = edge.size;
    const stops = marks.map(({ size }) => size).filter((size) => size > from);
    const to = Math.min(...stops, from - (from % TILE_WIDTH) + TILE_WIDTH);
    const rows = await readRows(client, from, to);
    const fault = findRowFault(rows, { from, to, leaves: await leavesOf(input, from) });
    if (fault) return fault;
    edge = {
      ...extendEdge(
        { ...edge, entries: [] },
        rows.map(({ leaf }) => leaf),
      ).edge,
      entries: [],
    };
    input.onProgress(edge.size);
  }
};

type Row = { idx: string; operation_id: Uint8Array; leaf: Uint8Array; openings: Uint8Array };

const readRows = async (client: ClientBase, from: number, to: number): Promise<readonly Row[]> => {
  const { rows } = await client.query<Row>(
    `select idx, operation_id, leaf, openings from ledger.entry join ledger.intake using (seq)
     where idx >= $1::bigint and idx < $2::bigint order by idx`,
    [from, to],
  );
  return rows;
};

/** The published leaves of the bundle that holds this index. */
const leavesOf = async ({ tiles, out }: Input, from: number): Promise<ReadonlyMap<number, Uint8Array>> => {
  const start = from - (from % TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, (out?.size ?? 0) - start);
  if (tiles === undefined || width <= 0) return new Map();
  const leaves = await readEntries(tiles, { index: start / TILE_WIDTH, width });
  return new Map(leaves.map((leaf, at) => [start + at, leaf]));
};

type Around = { from: number; to: number; leaves: ReadonlyMap<number, Uint8Array> };

const findRowFault = (rows: readonly Row[], { from, to, leaves }: Around): DatabaseFault | undefined => {
  for (let index = from; index < to; index++) {
    const row = rows[index - from];
    if (row === undefined || Number(row.idx) !== index) {
      const message = `the database lacks entry ${index}, which its head counts`;
      return faultOf({ table: "entry", index, message });
    }
    const fault = columnFault(row, leaves.get(index));
    if (fault) return faultOf({ table: "intake", index, ...fault, message: `entry ${index}: ${fault.message}` });
  }
  return undefined;
};

type ColumnFault = Pick<DatabaseFault, "message" | "byte"> & { column: string };

const columnFault = (row: Omit<Row, "idx">, published: Uint8Array | undefined): ColumnFault | undefined => {
  const { leaf, openings, operation_id: operationId } = row;
  if (published && !equalBytes(leaf, published)) {
    const at = leaf.findIndex((byte, place) => byte !== published[place]);
    const byte = at < 0 ? leaf.length : at;
    return { column: "leaf", byte, message: `from byte ${byte} the leaf is not the published one` };
  }
  try {
    const parsed = parseLeaf(leaf);
    if (!equalBytes(parsed.operationId, operationId)) {
      return { column: "operation_id", message: "operation id and leaf do not belong together" };
    }
    if (equalBytes(parsed.openingsDigest, sha256(openings))) return undefined;
    return { column: "openings", message: "the openings do not have the digest that the leaf gives" };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { column: "leaf", byte: 0, message: error.message };
  }
};

const STRAYS = `
  select
    (select min(idx) from ledger.entry where idx < 0 or idx >= $1::bigint) as beyond,
    (select min(seq) from ledger.entry where not exists (select from ledger.intake i where i.seq = entry.seq)) as empty,
    (select min(seq) from ledger.waiting where not exists (select from ledger.intake i where i.seq = waiting.seq)) as ghost,
    (select min(i.seq) from ledger.intake i left join ledger.entry e on e.seq = i.seq
      left join ledger.waiting w on w.seq = i.seq where (e.seq is null) = (w.seq is null)) as lost`;

type Strays = Record<"beyond" | "empty" | "ghost" | "lost", string | null>;

/** Rows that the log can never reach, or would take twice, and rows that wait and are damaged. */
const findQueueFault = async (client: ClientBase, size: number): Promise<DatabaseFault | undefined> => {
  const { rows } = await client.query<Strays>(STRAYS, [size]);
  const found = rows[0];
  if (found === undefined) return undefined;
  const { beyond, empty, ghost, lost } = found;
  if (beyond !== null) {
    return faultOf({
      table: "entry",
      index: Number(beyond),
      message: `entry ${beyond} is outside what the head counts`,
    });
  }
  if (empty !== null)
    return faultOf({ table: "entry", message: `row ${empty} has an index and nothing in the intake` });
  if (ghost !== null) return faultOf({ table: "waiting", message: `row ${ghost} waits and is not in the intake` });
  if (lost !== null) {
    return faultOf({ table: "intake", message: `row ${lost} is neither waiting nor in the log, or both` });
  }
  return findWaitingFault(client);
};

const findWaitingFault = async (client: ClientBase): Promise<DatabaseFault | undefined> => {
  for (let after = "-1"; ; ) {
    const { rows } = await client.query<Omit<Row, "idx"> & { seq: string }>(
      `select seq, operation_id, leaf, openings from ledger.waiting join ledger.intake using (seq)
       where seq > $1::bigint order by seq limit ${TILE_WIDTH}`,
      [after],
    );
    for (const row of rows) {
      const fault = columnFault(row, undefined);
      if (fault)
        return faultOf({ table: "intake", ...fault, message: `row ${row.seq}, which waits: ${fault.message}` });
    }
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    after = last.seq;
  }
};
