import type { ClientBase } from "pg";
import { isOpeningsOf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import { emptyRoot } from "../tree/hashes.ts";

/** Most entries that one tick moves from the intake into the log. */
export const MAX_TICK_ENTRIES = 4096;

/**
 * The database's head of the log. Where `size` is beyond `publishedSize`, it is the intent to sign: exactly this size and
 * root, and nothing else, will be signed next.
 */
export type Head = {
  readonly origin: string;
  readonly epoch: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly publishedSize: number;
  readonly publishedRoot: Uint8Array;
};

type HeadRow = {
  origin: string;
  epoch: string;
  size: string;
  root: Uint8Array;
  published_size: string;
  published_root: Uint8Array;
};

const toHead = (row: HeadRow): Head => ({
  origin: row.origin,
  epoch: row.epoch,
  size: Number(row.size),
  root: row.root,
  publishedSize: Number(row.published_size),
  publishedRoot: row.published_root,
});

/** The head, or `undefined` where no log was ever begun in this database. */
export const readHead = async (client: ClientBase): Promise<Head | undefined> => {
  const { rows } = await client.query<HeadRow>("select * from ledger.head");
  return rows[0] && toHead(rows[0]);
};

/** Begins a log of size 0. */
export const beginLog = async (client: ClientBase, origin: string): Promise<void> => {
  await client.query(
    `insert into ledger.head (origin, epoch, size, root, published_size, published_root)
     values ($1, 0, 0, $2, 0, $2)`,
    [origin, emptyRoot()],
  );
};

/** A new epoch for a new leader: from now on every older leader's compare-and-swap fails. */
export const claimEpoch = async (client: ClientBase): Promise<Head> => {
  const { rows } = await client.query<HeadRow>("update ledger.head set epoch = epoch + 1 returning *");
  if (rows[0] === undefined) throw new LedgerError("log-missing", "the database holds no head of the log");
  return toHead(rows[0]);
};

export type Sequenced = {
  readonly operationId: Uint8Array;
  readonly leaf: Uint8Array;
  readonly openings: Uint8Array;
};

const TAKE = `
  with taken as (
    delete from ledger.waiting
    where seq = any(array(select seq from ledger.waiting order by seq limit $1::int))
    returning seq
  ), placed as (
    insert into ledger.entry (idx, seq)
    select $2::bigint + row_number() over (order by seq) - 1, seq from taken
    returning idx, seq
  )
  select intake.operation_id, intake.leaf, intake.openings
  from placed join ledger.intake using (seq) order by placed.idx`;

type SequencedRow = { operation_id: Uint8Array; leaf: Uint8Array; openings: Uint8Array };

/** Checks once more what the intake checked: a row that was damaged since must not enter the log. */
const toSequenced = ({ operation_id, leaf, openings }: SequencedRow): Sequenced => {
  if (!isOpeningsOf(leaf, openings)) throw new LedgerError("log-halted", "a leaf and its openings no longer fit");
  return { operationId: operation_id, leaf, openings };
};

/** Gives the next waiting rows their indexes, in intake order, inside the caller's transaction. */
export const takeWaiting = async (client: ClientBase, size: number): Promise<readonly Sequenced[]> => {
  const { rows } = await client.query<SequencedRow>(TAKE, [MAX_TICK_ENTRIES, size]);
  return rows.map(toSequenced);
};

const READ = `
  select intake.operation_id, intake.leaf, intake.openings
  from ledger.entry join ledger.intake using (seq)
  where entry.idx >= $1::bigint and entry.idx < $2::bigint order by entry.idx`;

/** Entries that have been given an index already. */
export const readSequenced = async (client: ClientBase, from: number, to: number): Promise<readonly Sequenced[]> => {
  const { rows } = await client.query<SequencedRow>(READ, [from, to]);
  if (rows.length !== to - from) {
    throw new LedgerError("log-halted", `the database lacks entries between ${from} and ${to} that its head counts`);
  }
  return rows.map(toSequenced);
};

/** Whether there is anything to do. */
export const hasWaiting = async (client: ClientBase): Promise<boolean> =>
  (await client.query("select 1 from ledger.waiting limit 1")).rows.length > 0;

type Step = { epoch: string; oldSize: number; size: number; root: Uint8Array };

/** Moves the head by compare-and-swap on epoch, size and publication; `false` where somebody else leads now. */
export const moveHead = async (client: ClientBase, { epoch, oldSize, size, root }: Step): Promise<boolean> => {
  const { rowCount } = await client.query(
    `update ledger.head set size = $3, root = $4
     where epoch = $1 and size = $2 and published_size = size`,
    [epoch, oldSize, size, root],
  );
  return rowCount === 1;
};

/**
 * Notes that the checkpoint of this size is out; `false` where somebody else leads now. Losing this note in a crash is
 * harmless, because a leader that starts looks at the checkpoint itself; so it does not wait for the disk.
 */
export const markPublished = async (
  client: ClientBase,
  { epoch, size, root }: Omit<Step, "oldSize">,
): Promise<boolean> => {
  const { rowCount } = await client.query(
    `with unhurried as (select set_config('synchronous_commit', 'off', true))
     update ledger.head set published_size = $2, published_root = $3 from unhurried where epoch = $1 and size = $2`,
    [epoch, size, root],
  );
  return rowCount === 1;
};
