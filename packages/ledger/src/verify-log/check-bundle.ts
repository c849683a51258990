import { equalBytes } from "../bytes.ts";
import { sha256 } from "../crypto.ts";
import { LEAF_LENGTH, parseLeaf } from "../entry/leaf.ts";
import { readOpenings } from "../storage/openings-files.ts";
import { type LogReader, readBundle, tileReaderOf } from "../storage/tile-storage.ts";
import { parseBundle } from "../tree/bundle.ts";
import { edgeRoot } from "../tree/edge.ts";
import { bundleOffsets, hashBundle, hashesOf } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { type Bundle, entriesPath, openingsPath, TILE_WIDTH, tilePath } from "../tree/paths.ts";
import { type LogFault, Misfit, orFault } from "./misfit.ts";
import { type MarkPlace, markOperation, type NoteOperation } from "./operation-book.ts";

/** What every bundle of a log is held against. */
export type BundleCheck = {
  readonly tiles: LogReader;
  readonly openings?: LogReader;
  readonly anyEntries: boolean;
  /** With it the operations of the entries are marked. */
  readonly markKey?: Uint32Array;
};

/** The files of a bundle, as they are on their way. */
export type BundleFiles = {
  readonly entries: Promise<{ readonly bytes: Uint8Array; readonly width: number }>;
  readonly tile: Promise<Uint8Array>;
  readonly openings?: Promise<readonly Uint8Array[]>;
};

/** Starts to read; who never looks at an answer is not troubled by its failure. */
export const readBundleFiles = (check: BundleCheck, bundle: Bundle): BundleFiles => {
  const entries = readBundle(check.tiles, bundle);
  const tile = tileReaderOf(check.tiles)({ level: 0, ...bundle });
  const openings = check.openings && !check.anyEntries ? readOpenings(check.openings, bundle) : undefined;
  for (const file of [entries, tile, openings]) file?.catch(() => undefined);
  return { entries, tile, ...(openings ? { openings } : {}) };
};

/** What is the log's to say about a partial tile: the levels above it, and the root. */
export type LogEnd = { readonly levels: () => readonly (readonly Uint8Array[])[]; readonly root: Uint8Array };

export type BundleTask = {
  readonly bundle: Bundle;
  readonly files: BundleFiles;
  readonly end?: LogEnd;
  /** Called for each entry, in order, once it is known to be a leaf. */
  readonly note?: NoteOperation;
};

/** The leaf hashes of the bundle, and the marks of its operations, two words each; empty where none were asked for. */
export type CheckedBundle = { readonly hashes: Uint8Array; readonly marks: Uint32Array };

/** Holds one bundle against its tile and openings, and each entry against its form. Throws the first fault as a Misfit. */
export const checkBundle = async (check: BundleCheck, task: BundleTask): Promise<CheckedBundle> => {
  const { bundle, files } = task;
  const place = { kind: "entry", path: entriesPath(bundle), index: bundle.index * TILE_WIDTH } as const;
  const { bytes, offsets } = await orFault(place, async () => {
    const { bytes, width } = await files.entries;
    return { bytes, offsets: bundleOffsets(bytes, width) ?? malformed(bytes, width) };
  });
  const hashes = hashBundle(bytes, offsets, bundle.width);
  const stored = await orFault({ ...place, kind: "tile", path: tilePath({ level: 0, ...bundle }) }, () => files.tile);
  if (!equalBytes(hashes, stored)) throw await mismatch(check.tiles, task, { hashes, stored, offsets });
  if (check.anyEntries) return { hashes, marks: new Uint32Array(0) };
  const marks = await checkLeaves(check, task, { bytes, offsets });
  if (files.openings) await checkOpenings(task, { bytes, offsets });
  return { hashes, marks };
};

const malformed = (bytes: Uint8Array, width: number): never => {
  parseBundle(bytes, width);
  throw new RangeError("a bundle is malformed to one reader and not to the other");
};

type Entries = { readonly bytes: Uint8Array; readonly offsets: Uint32Array };

/** Every entry as the leaf that it must be (docs/spec/entry.md, section 3). */
const checkLeaves = async (
  { markKey }: BundleCheck,
  { bundle, note }: BundleTask,
  { bytes, offsets }: Entries,
): Promise<Uint32Array> => {
  const marks = new Uint32Array(markKey ? 2 * bundle.width : 0);
  for (let at = 0; at < bundle.width; at++) {
    const from = (offsets[at] ?? 0) + 2;
    const to = offsets[at + 1] ?? from;
    if (to - from !== LEAF_LENGTH || bytes[from] !== 0x01) {
      const index = bundle.index * TILE_WIDTH + at;
      const place = { kind: "entry", path: entriesPath(bundle), index } as const;
      await orFault(place, () => parseLeaf(bytes.subarray(from, to)));
    }
    if (markKey === undefined) continue;
    const mark: MarkPlace = { marks, at };
    markOperation(markKey, { bytes, from: from + 1 }, mark);
    const doubt = note?.(mark, bundle.index * TILE_WIDTH + at);
    if (doubt) await doubt;
  }
  return marks;
};

const none = new Uint8Array(0);

const checkOpenings = async ({ bundle, files }: BundleTask, { bytes, offsets }: Entries): Promise<void> => {
  const first = bundle.index * TILE_WIDTH;
  const place = { kind: "openings", path: openingsPath(bundle), index: first } as const;
  const blobs = (await orFault(place, () => files.openings)) ?? [];
  for (let at = 0; at < bundle.width; at++) {
    const digest = sha256(blobs[at] ?? none);
    const from = (offsets[at] ?? 0) + 2 + DIGEST_AT;
    if (equalBytes(digest, bytes.subarray(from, from + HASH_LENGTH))) continue;
    const index = first + at;
    const message = `the openings of entry ${index} do not have the digest that its leaf gives`;
    throw new Misfit({ ...place, index, message });
  }
};
/** Where a leaf holds the digest of its openings (docs/spec/entry.md, section 4). */
const DIGEST_AT = 65;

/** Entries against the tile of their hashes; where they differ, looks one level up for which of the two is right. */
const mismatch = async (
  tiles: LogReader,
  { bundle, end }: BundleTask,
  found: { hashes: Uint8Array; stored: Uint8Array; offsets: Uint32Array },
): Promise<Misfit> => {
  const at = Math.floor(found.hashes.findIndex((byte, i) => byte !== found.stored[i]) / HASH_LENGTH);
  const index = bundle.index * TILE_WIDTH + at;
  const tile = tilePath({ level: 0, ...bundle });
  const kind = await blame(tiles, { bundle, end, stored: hashesOf(found.stored), derived: hashesOf(found.hashes) });
  const inTile = { path: tile, bytes: { from: at * HASH_LENGTH, to: (at + 1) * HASH_LENGTH } };
  const [from = 0, to = 0] = found.offsets.subarray(at, at + 2);
  const inBundle = { path: entriesPath(bundle), bytes: { from, to } };
  const message = `entry ${index} does not have the hash that ${tile} gives it`;
  return new Misfit({ kind, ...(kind === "tile" ? inTile : inBundle), index, message });
};

const blame = async (
  tiles: LogReader,
  {
    bundle,
    end,
    stored,
    derived,
  }: Record<"stored" | "derived", readonly Uint8Array[]> & { bundle: Bundle; end: LogEnd | undefined },
): Promise<LogFault["kind"]> => {
  const full = bundle.width === TILE_WIDTH;
  const wanted = full ? await readAbove(tiles, bundle.index) : end?.root;
  const above = full ? [] : (end?.levels() ?? []);
  const rootOver = (hashes: readonly Uint8Array[]) => edgeRoot({ size: 0, entries: [], levels: [hashes, ...above] });
  if (wanted && equalBytes(rootOver(stored), wanted)) return "entry";
  return wanted && equalBytes(rootOver(derived), wanted) ? "tile" : "entry-or-tile";
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
