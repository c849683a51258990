import type { Pool, PoolClient } from "pg";
import { equalBytes, toHex } from "../bytes.ts";
import { parseLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import type { LogKey } from "../formats/log-key.ts";
import { readOpenings } from "../storage/openings-files.ts";
import { type LogReader, readEntries } from "../storage/tile-storage.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import { verifyLog } from "../verify-log.ts";
import { findReach } from "./find-reach.ts";
import { beginLog, readHead } from "./head.ts";
import { headMisfit, type KnownHead } from "./head-fits.ts";
import { tryLead } from "./lead.ts";

/** The folders of a log, and the database that lost it. */
export type RebuildDatabaseInput = {
  /** `migrateLedger` was run in it. */
  readonly pool: Pool;
  readonly tiles: LogReader;
  readonly openings: LogReader;
  readonly origin: string;
  readonly verifierKeys: readonly LogKey[];
  /** What the log's signer signed last: entries that it signed and that were never published come back too. */
  readonly lastSigned?: () => Promise<KnownHead>;
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void;
};

/** `from`: entries that the database had; `size`: those that it has now. */
export type Rebuilt = { readonly from: number; readonly size: number };

/**
 * Gives an empty or rolled-back database the entries of the folder, with their operation ids and openings, and the head. The
 * folder must verify as a whole, and what the database has already must be the same: else nothing is changed and it rejects
 * with `log-halted`. What was asked for stands in no log, so each rebuilt row has a digest of zeros: whoever asks for the same
 * event again is told `conflict`, and never logs it twice. A rebuild is kept for `openRestores`. Rejects with `log-halted`
 * also where a process leads the log.
 */
export const rebuildDatabase = async (input: RebuildDatabaseInput): Promise<Rebuilt> => {
  const verdict = await verifyLog(input);
  if (!verdict.ok) throw halted(`the folder does not verify: ${verdict.fault.path}: ${verdict.fault.message}`);
  const { size, root } = await findReach(input.tiles, verdict, await input.lastSigned?.());
  return asOnlyLeader(input, async (client) => {
    if ((await readHead(client)) === undefined) await beginLog(client, input.origin);
    const { rows } = await client.query<{ size: string }>("select size from ledger.head for update");
    const from = Number(rows[0]?.size ?? 0);
    const head = await readHead(client);
    if (head === undefined) throw new LedgerError("log-missing", "the database holds no head of the log");
    if (from > size)
      throw halted(`the database has ${from} entries and the folder ${size}: the folder is the older one`);
    const misfit = from === size ? headMisfit(input.origin, head, { size, root }) : undefined;
    if (misfit !== undefined || head.origin !== input.origin) throw halted(misfit ?? `it holds the log ${head.origin}`);
    for (let start = 0; start < size; start += TILE_WIDTH) {
      await putBundle(client, await readBundle(input, start, size));
      input.onProgress?.({ entries: Math.min(size, start + TILE_WIDTH), of: size });
    }
    await client.query(
      `update ledger.head set epoch = epoch + 1, size = $1, root = $2, published_size = $3, published_root = $4`,
      [size, root, verdict.size, verdict.root],
    );
    if (from < size)
      await client.query("insert into ledger.restore (from_size, to_size) values ($1, $2)", [from, size]);
    return { from, size };
  });
};

const halted = (why: string): LedgerError => new LedgerError("log-halted", `nothing was rebuilt: ${why}`);

/** In one transaction, under the lock that a leader has for as long as its connection lives. */
export const asOnlyLeader = async <T>(
  { pool, origin }: Pick<RebuildDatabaseInput, "pool" | "origin">,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  const ignore = (): void => undefined;
  client.on("error", ignore);
  try {
    if (!(await tryLead(client, origin))) throw halted("a process leads the log; stop the desk first");
    await client.query("begin");
    const value = await work(client);
    await client.query("commit");
    return value;
  } finally {
    // Ends the connection: the lock goes with it, and so does what was not committed.
    client.release(true);
  }
};

type Item = { readonly index: number; readonly operationId: Uint8Array; leaf: Uint8Array; openings: Uint8Array };

const readBundle = async (
  { tiles, openings }: RebuildDatabaseInput,
  start: number,
  size: number,
): Promise<readonly Item[]> => {
  const bundle = { index: start / TILE_WIDTH, width: Math.min(TILE_WIDTH, size - start) };
  const leaves = await readEntries(tiles, bundle);
  const blobs = await readOpenings(openings, bundle);
  return leaves.map((leaf, at) => {
    const { operationId } = parseLeaf(leaf);
    return { index: start + at, operationId, leaf, openings: blobs[at] ?? new Uint8Array(0) };
  });
};

type Stored = { operation_id: Uint8Array; leaf: Uint8Array; openings: Uint8Array; idx: string | null };

const putBundle = async (client: PoolClient, items: readonly Item[]): Promise<void> => {
  const { rows } = await client.query<Stored>(
    `select operation_id, leaf, openings, idx from ledger.intake left join ledger.entry using (seq)
     where operation_id = any($1::bytea[])`,
    [items.map(({ operationId }) => operationId)],
  );
  const stored = new Map(rows.map((row) => [toHex(row.operation_id), row]));
  const missing: Item[] = [];
  const placed = new Set<number>();
  for (const item of items) {
    const row = stored.get(toHex(item.operationId));
    if (row === undefined) missing.push(item);
    else if (isSame(row, item)) {
      if (row.idx !== null) placed.add(item.index);
    } else throw halted(`the database's entry ${item.index} is not the folder's; it is left as it is`);
  }
  await insertIntake(client, missing);
  await place(
    client,
    items.filter(({ index }) => !placed.has(index)),
  );
};

const isSame = ({ leaf, openings, idx }: Stored, item: Item): boolean =>
  equalBytes(leaf, item.leaf) && equalBytes(openings, item.openings) && (idx === null || Number(idx) === item.index);

const insertIntake = async (client: PoolClient, items: readonly Item[]): Promise<void> => {
  await client.query(
    `insert into ledger.intake (operation_id, request_digest, leaf, openings)
     select operation_id, decode(repeat('00', 32), 'hex'), leaf, openings
     from unnest($1::bytea[], $2::bytea[], $3::bytea[]) with ordinality as t(operation_id, leaf, openings, place)
     order by place`,
    [items.map((item) => item.operationId), items.map((item) => item.leaf), items.map((item) => item.openings)],
  );
};

const place = async (client: PoolClient, items: readonly Item[]): Promise<void> => {
  const { rows } = await client.query<{ idx: string }>(
    `with given as (
       select i.seq, t.idx from unnest($1::bigint[], $2::bytea[]) as t(idx, operation_id)
       join ledger.intake i using (operation_id)
     ), freed as (
       delete from ledger.waiting where seq in (select seq from given)
     )
     insert into ledger.entry (idx, seq) select idx, seq from given on conflict do nothing returning idx`,
    [items.map(({ index }) => index), items.map(({ operationId }) => operationId)],
  );
  if (rows.length !== items.length) throw halted("the database gives an index of the folder's to another entry");
};
