import type { Pool, PoolClient } from "pg";
import { LedgerError } from "../error.ts";
import { parseCheckpoint } from "../formats/checkpoint.ts";
import type { LogKey } from "../formats/log-key.ts";
import { parseSignedNote } from "../formats/signed-note.ts";
import { CHECKPOINT_PATH, type LogReader } from "../storage/tile-storage.ts";
import { type LogFault, verifyLog } from "../verify-log.ts";
import { type DatabaseFault, findDatabaseFault } from "./fsck-database.ts";
import { type Head, readHead } from "./head.ts";
import { headMisfit, type KnownHead } from "./head-fits.ts";

/** The first thing of one place that does not fit: of the folders, a file; of the database, a table and its column. */
export type FsckFault = ({ readonly place: "folder" } & LogFault) | DatabaseFault;

/** How far the log is, or what does not fit. */
export type FsckVerdict =
  | { readonly ok: true; readonly size: number; readonly published: number; readonly waiting: number }
  | { readonly ok: false; readonly faults: readonly FsckFault[] };

/** A log, and the database that it comes from. */
export type FsckInput = {
  readonly pool: Pool;
  readonly tiles: LogReader;
  readonly openings: LogReader;
  readonly origin: string;
  readonly verifierKeys: readonly LogKey[];
  readonly onProgress?: (progress: {
    readonly place: "folder" | "database";
    readonly entries: number;
    readonly of: number;
  }) => void;
};

/**
 * Holds checkpoint, tiles, openings and database of one log against each other, and names the first fault of the folders and
 * the first of the database. Reads alone, one bundle at a time; the log may be in use. What stands nowhere else cannot be
 * compared: the digest of what was asked for, and tag and commitments of a leaf that waits. Rejects with `storage-failed`, or as the
 * database does.
 */
export const fsckLog = async (input: FsckInput): Promise<FsckVerdict> => {
  const client = await input.pool.connect();
  try {
    // Of a log in use the folder is read between two looks at the head: it can only be beyond the first and behind the second.
    const before = await readHead(client);
    const note = await input.tiles.read(CHECKPOINT_PATH);
    const folder = await verifyFolder(input, note, before);
    await client.query("begin isolation level repeatable read read only");
    const [folderFits, checkpointFits] = [folder === undefined, folder?.kind !== "checkpoint"];
    const database = await verifyDatabase(input, { client, before, note, folderFits, checkpointFits });
    if (folder === undefined && "head" in database) return { ok: true, ...database.head };
    const faults = [...(folder ? [folder] : []), ...("head" in database ? [] : [database])];
    return { ok: false, faults };
  } finally {
    await client.query("rollback").catch(() => undefined);
    client.release();
  }
};

const verifyFolder = async (
  input: FsckInput,
  note: Uint8Array | undefined,
  head: Head | undefined,
): Promise<({ readonly place: "folder" } & LogFault) | undefined> => {
  if (note === undefined && head?.publishedSize === 0) return undefined;
  const { openings, origin, verifierKeys, onProgress } = input;
  const pinned = { read: async (path: string) => (path === CHECKPOINT_PATH ? note : input.tiles.read(path)) };
  const verdict = await verifyLog({
    ...{ tiles: pinned, openings, origin, verifierKeys },
    ...(onProgress ? { onProgress: (progress) => onProgress({ place: "folder", ...progress }) } : {}),
  });
  return verdict.ok ? undefined : { place: "folder", ...verdict.fault };
};

type Compared = {
  client: PoolClient;
  before: Head | undefined;
  note: Uint8Array | undefined;
  folderFits: boolean;
  checkpointFits: boolean;
};

const verifyDatabase = async (input: FsckInput, { client, before, note, folderFits, checkpointFits }: Compared) => {
  const head = await readHead(client);
  if (head === undefined || before === undefined) {
    return { place: "database", table: "head", message: "the database holds no head of the log" } as const;
  }
  const out = checkpointFits && note ? readKnownHead(note) : undefined;
  // A checkpoint that is damaged says nothing about the database.
  const misfit = checkpointFits ? headMisfit(input.origin, { ...head, ...publishedOf(before) }, out) : undefined;
  if (misfit !== undefined) return { place: "database", table: "head", message: misfit } as const;
  const fault = await findDatabaseFault({
    ...{ client, head, out },
    tiles: folderFits ? input.tiles : undefined,
    onProgress: (entries) => input.onProgress?.({ place: "database", entries, of: head.size }),
  });
  if (fault) return fault;
  const { rows } = await client.query<{ waiting: string }>("select count(*) waiting from ledger.waiting");
  return { head: { size: head.size, published: out?.size ?? 0, waiting: Number(rows[0]?.waiting ?? 0) } };
};

const publishedOf = ({ publishedSize, publishedRoot }: Head) => ({ publishedSize, publishedRoot });

/** What the checkpoint says, whoever signed it; nothing where it is none, which the folder's fault tells. */
const readKnownHead = (note: Uint8Array): KnownHead | undefined => {
  try {
    const { size, root } = parseCheckpoint(parseSignedNote(note).text);
    return { size: Number(size), root };
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
};
