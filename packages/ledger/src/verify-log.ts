import { equalBytes, toHex } from "./bytes.ts";
import { type MlDsa44Verify, sha256 } from "./crypto.ts";
import { type Leaf, parseLeaf } from "./entry/leaf.ts";
import { createOperationBook, type OperationBook } from "./entry/operation-book.ts";
import { LedgerError } from "./error.ts";
import { type Checkpoint, parseCheckpoint } from "./formats/checkpoint.ts";
import type { LogKey } from "./formats/log-key.ts";
import { openCheckpoint } from "./formats/open-checkpoint.ts";
import { parseSignedNote } from "./formats/signed-note.ts";
import { readOpenings } from "./storage/openings-files.ts";
import { CHECKPOINT_PATH, type LogReader, readEntries, tileReaderOf } from "./storage/tile-storage.ts";
import { edgeRoot, emptyEdge, extendTiles, type LogEdge } from "./tree/edge.ts";
import { emptyRoot, HASH_LENGTH, leafHash } from "./tree/hashes.ts";
import { entriesPath, openingsPath, parseTilePath, TILE_WIDTH, tilePath } from "./tree/paths.ts";

/** The first thing in a log that does not fit. */
export type LogFault = {
  readonly kind: "checkpoint" | "missing" | "entry" | "tile" | "entry-or-tile" | "openings" | "root";
  /** The file, below the folder of the log or of the openings. */
  readonly path: string;
  /** The entry, where it is known. */
  readonly index?: number;
  /** The region of the file, half-open, where it is known. */
  readonly bytes?: { readonly from: number; readonly to: number };
  readonly message: string;
};

export type LogVerdict =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: number;
      readonly root: Uint8Array;
      /** The signed checkpoint that all of it was held against, byte for byte; for `verifyPolicy`. */
      readonly note: Uint8Array;
      readonly openingsChecked: boolean;
      /** Whether every entry was held against every other for one operation that stands twice. */
      readonly operationsChecked: boolean;
    }
  | { readonly ok: false; readonly fault: LogFault };

export type VerifyLogInput = {
  readonly tiles: LogReader;
  /** The log's, of type 01 or 06. */
  readonly verifierKeys: readonly LogKey[];
  /** For keys of type 06, where the platform lacks ML-DSA-44. */
  readonly mlDsa44?: MlDsa44Verify;
  /** Without it, whatever log the checkpoint names. */
  readonly origin?: string;
  /** With it, every leaf's openings must be there and have the digest that the leaf gives. */
  readonly openings?: LogReader;
  /** True for a log of other entries than docs/spec/entry.md has: they are bytes, and no operation or openings are looked for. */
  readonly anyEntries?: boolean;
  /** The largest log, in entries, in which an operation that stands twice is looked for, at 64 bytes of memory each; 2^20. */
  readonly mostOperations?: number;
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void;
};

/**
 * Verifies a whole log offline: checkpoint, every entry, every tile that the checkpoint's tree needs, the root; every entry
 * is a leaf of a known version, and no two are of one operation. Holds one bundle at a time in memory, and the operations
 * of a log that is not too large for it. Rejects with `storage-failed` alone; every other fault is its answer.
 */
export const verifyLog = async (input: VerifyLogInput): Promise<LogVerdict> => {
  try {
    const { checkpoint, note } = await readCheckpoint(input);
    const size = Number(checkpoint.size);
    const edge = await readBundles(input, size, checkpoint.root);
    for (const [level, hashes] of edge.levels.entries()) {
      const part = { level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width: hashes.length };
      if (part.width > 0) await compareTile(input.tiles, { ...part, expected: hashes });
    }
    const root = size === 0 ? emptyRoot() : edgeRoot(edge);
    if (!equalBytes(root, checkpoint.root)) {
      throw new Misfit({ kind: "root", path: CHECKPOINT_PATH, message: `the entries have the root ${toHex(root)}` });
    }
    const { origin } = checkpoint;
    const openingsChecked = input.openings !== undefined;
    return { ok: true, origin, size, root, note, openingsChecked, operationsChecked: hasBook(input, size) };
  } catch (error) {
    if (error instanceof Misfit) return { ok: false, fault: error.fault };
    throw error;
  }
};

class Misfit extends Error {
  readonly fault: LogFault;
  constructor(fault: LogFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Runs a step, and turns what the package throws into the fault that it is. */
const orFault = async <T>(place: Omit<LogFault, "message">, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code === "storage-failed") throw error;
    throw new Misfit({
      ...place,
      kind: error.code === "tile-missing" ? "missing" : place.kind,
      message: error.message,
    });
  }
};

const readCheckpoint = async ({
  tiles,
  verifierKeys,
  origin,
  mlDsa44,
}: VerifyLogInput): Promise<{ checkpoint: Checkpoint; note: Uint8Array }> => {
  const place = { kind: "checkpoint", path: CHECKPOINT_PATH } as const;
  const bytes = await tiles.read(CHECKPOINT_PATH);
  if (bytes === undefined) throw new Misfit({ ...place, kind: "missing", message: "there is no checkpoint" });
  const verdict = await orFault(place, () => {
    const named = origin ?? parseCheckpoint(parseSignedNote(bytes).text).origin;
    return openCheckpoint(bytes, { keys: verifierKeys, origin: named, mlDsa44 });
  });
  if (!verdict.ok) throw new Misfit({ ...place, message: `the checkpoint is refused: ${verdict.reason}` });
  if (verdict.checkpoint.size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Misfit({ ...place, message: "the checkpoint's size is more than any folder can hold" });
  }
  return { checkpoint: verdict.checkpoint, note: bytes };
};

const MOST_OPERATIONS = 1 << 20;

const hasBook = ({ anyEntries, mostOperations = MOST_OPERATIONS }: VerifyLogInput, size: number): boolean =>
  anyEntries !== true && size <= mostOperations;

const readBundles = async (input: VerifyLogInput, size: number, root: Uint8Array): Promise<LogEdge> => {
  let edge = emptyEdge;
  const book = hasBook(input, size) ? createOperationBook() : undefined;
  while (edge.size < size) {
    const index = edge.size / TILE_WIDTH;
    const bundle = { index, width: Math.min(TILE_WIDTH, size - edge.size) };
    const place = { kind: "entry", path: entriesPath(bundle), index: edge.size } as const;
    const entries = await orFault(place, () => readEntries(input.tiles, bundle));
    const hashes = await compareLeaves(input, { edge, entries, root });
    const leaves = input.anyEntries ? [] : await readLeaves(input.tiles, { bundle, entries, book });
    if (input.openings && !input.anyEntries) await compareOpenings(input.openings, { bundle, leaves });
    const { levels, files } = extendTiles(edge, hashes);
    await compareFullTiles(input.tiles, files);
    edge = { size: edge.size + entries.length, levels, entries: [] };
    input.onProgress?.({ entries: edge.size, of: size });
  }
  return edge;
};

const hashesOf = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: bytes.length / HASH_LENGTH }, (_, i) => bytes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH));

/** Entries against the tile of their hashes; where they differ, looks one level up for which of the two is right. */
const compareLeaves = async (
  { tiles }: VerifyLogInput,
  { edge, entries, root }: { edge: LogEdge; entries: readonly Uint8Array[]; root: Uint8Array },
): Promise<readonly Uint8Array[]> => {
  const index = edge.size / TILE_WIDTH;
  const tile = { level: 0, index, width: entries.length };
  const place = { kind: "tile", path: tilePath(tile) } as const;
  const stored = hashesOf(await orFault(place, () => tileReaderOf(tiles)(tile)));
  const derived = entries.map(leafHash);
  const at = derived.findIndex((hash, i) => !equalBytes(hash, stored[i] ?? none));
  if (at < 0) return derived;
  const offset = entries.slice(0, at).reduce((sum, entry) => sum + 2 + entry.length, 0);
  const kind = await blame(tiles, { edge, stored, derived, root });
  const inTile = { path: place.path, bytes: { from: at * HASH_LENGTH, to: (at + 1) * HASH_LENGTH } };
  const inBundle = { path: entriesPath(tile), bytes: { from: offset, to: offset + 2 + (entries[at]?.length ?? 0) } };
  const message = `entry ${edge.size + at} does not have the hash that ${place.path} gives it`;
  throw new Misfit({ kind, ...(kind === "tile" ? inTile : inBundle), index: edge.size + at, message });
};
const none = new Uint8Array(0);

const blame = async (
  tiles: LogReader,
  {
    edge,
    stored,
    derived,
    root,
  }: Record<"stored" | "derived", readonly Uint8Array[]> & { edge: LogEdge; root: Uint8Array },
): Promise<LogFault["kind"]> => {
  const index = edge.size / TILE_WIDTH;
  const above = stored.length === TILE_WIDTH ? await readAbove(tiles, index) : undefined;
  const wanted = stored.length === TILE_WIDTH ? above : root;
  const levels = stored.length === TILE_WIDTH ? [] : edge.levels.slice(1);
  const rootOf = (hashes: readonly Uint8Array[]) => edgeRoot({ size: 0, entries: [], levels: [hashes, ...levels] });
  if (wanted && equalBytes(rootOf(stored), wanted)) return "entry";
  return wanted && equalBytes(rootOf(derived), wanted) ? "tile" : "entry-or-tile";
};

/** What level 1 says of a full tile of level 0, in whichever file of it that there is. */
const readAbove = async (tiles: LogReader, index: number): Promise<Uint8Array | undefined> => {
  const parent = Math.floor(index / TILE_WIDTH);
  const place = index % TILE_WIDTH;
  for (let width = TILE_WIDTH; width > place; width--) {
    const bytes = await tiles.read(tilePath({ level: 1, index: parent, width }));
    if (bytes && bytes.length === width * HASH_LENGTH) return hashesOf(bytes)[place];
  }
  return undefined;
};

const compareFullTiles = async (tiles: LogReader, files: ReturnType<typeof extendTiles>["files"]): Promise<void> => {
  for (const { path, bytes } of files) {
    const tile = parseTilePath(path);
    if (tile.level === "entries" || tile.level === 0 || tile.width !== TILE_WIDTH) continue;
    await compareTile(tiles, { ...tile, level: tile.level, expected: hashesOf(bytes) });
  }
};

const compareTile = async (
  tiles: LogReader,
  tile: { level: number; index: number; width: number; expected: readonly Uint8Array[] },
): Promise<void> => {
  const path = tilePath(tile);
  const stored = hashesOf(await orFault({ kind: "tile", path }, () => tileReaderOf(tiles)(tile)));
  const at = tile.expected.findIndex((hash, i) => !equalBytes(hash, stored[i] ?? none));
  if (at < 0) return;
  const bytes = { from: at * HASH_LENGTH, to: (at + 1) * HASH_LENGTH };
  throw new Misfit({
    kind: "tile",
    path,
    bytes,
    message: `hash ${at} of ${path} is not the one of the entries below it`,
  });
};

type Bundle = { readonly index: number; readonly width: number };

/** Every entry as the leaf that it must be; one event stands in a log once (docs/spec/entry.md, section 3). */
const readLeaves = async (
  tiles: LogReader,
  { bundle, entries, book }: { bundle: Bundle; entries: readonly Uint8Array[]; book: OperationBook | undefined },
): Promise<readonly Leaf[]> => {
  const leaves: Leaf[] = [];
  for (const [at, entry] of entries.entries()) {
    const index = bundle.index * TILE_WIDTH + at;
    const place = { kind: "entry", path: entriesPath(bundle), index } as const;
    const leaf = await orFault(place, () => parseLeaf(entry));
    leaves.push(leaf);
    const earlier = book?.note(leaf.operationId, index);
    if (earlier === undefined) continue;
    const other = leaves[earlier - bundle.index * TILE_WIDTH] ?? (await readLeafBefore(tiles, earlier));
    if (!equalBytes(leaf.operationId, other.operationId)) continue;
    throw new Misfit({ ...place, message: `entry ${index} is of the same operation as entry ${earlier}` });
  }
  return leaves;
};

/** A leaf of a bundle that was read before this one, and is full. */
const readLeafBefore = async (tiles: LogReader, index: number): Promise<Leaf> => {
  const bundle = { index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH };
  const place = { kind: "entry", path: entriesPath(bundle), index } as const;
  return orFault(place, async () => parseLeaf((await readEntries(tiles, bundle))[index % TILE_WIDTH] ?? none));
};

const compareOpenings = async (
  openings: LogReader,
  { bundle, leaves }: { bundle: Bundle; leaves: readonly Leaf[] },
): Promise<void> => {
  const first = bundle.index * TILE_WIDTH;
  const place = { kind: "openings", path: openingsPath(bundle), index: first } as const;
  const blobs = await orFault(place, () => readOpenings(openings, bundle));
  for (const [at, leaf] of leaves.entries()) {
    const index = first + at;
    if (equalBytes(sha256(blobs[at] ?? none), leaf.openingsDigest)) continue;
    const message = `the openings of entry ${index} do not have the digest that its leaf gives`;
    throw new Misfit({ ...place, index, message });
  }
};
