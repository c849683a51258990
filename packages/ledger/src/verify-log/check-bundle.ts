import { equalBytes } from "../bytes.ts";
import { LEAF_LENGTH, parseLeaf } from "../entry/leaf.ts";
import { type OpeningsFile, readOpeningsFiles } from "../storage/openings-files.ts";
import { type LogReader, readBundle, readTile, type StoredFile } from "../storage/tile-storage.ts";
import { bundleOffsets, hashBundle } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { type Bundle, entriesPath, TILE_WIDTH, tilePath } from "../tree/paths.ts";
import { findInBroken } from "./broken-bundle.ts";
import { checkOpenings, type Leaves } from "./check-openings.ts";
import { Misfit, orFault } from "./misfit.ts";
import { type MarkPlace, markOperation, type NoteOperation } from "./operation-book.ts";
import { findInLength } from "./tile-length.ts";
import { type Above, createVouched, type LogEnd } from "./vouched.ts";

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
  readonly entries: Promise<StoredFile>;
  readonly tile: Promise<StoredFile>;
  readonly openings?: Promise<readonly OpeningsFile[]>;
};

/** Starts to read; who never looks at an answer is not troubled by its failure. */
export const readBundleFiles = (check: BundleCheck, bundle: Bundle): BundleFiles => {
  const entries = readBundle(check.tiles, bundle);
  const tile = readTile(check.tiles, { level: 0, ...bundle });
  const openings = check.openings && !check.anyEntries ? readOpeningsFiles(check.openings, bundle) : undefined;
  for (const file of [entries, tile, openings]) file?.catch(() => undefined);
  return { entries, tile, ...(openings ? { openings } : {}) };
};

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
  const { bundle, files, end } = task;
  const { tiles, anyEntries } = check;
  const first = bundle.index * TILE_WIDTH;
  const place = { kind: "entry", path: entriesPath(bundle), index: first } as const;
  const file = await orFault(place, () => files.entries);
  const { path, bytes } = file;
  const above = { tiles, bundle, end };
  const offsets = bundleOffsets(bytes, file.width);
  if (offsets === undefined) throw await findInBroken(above, { file, tile: files.tile, anyEntries });
  const hashes = hashBundle(bytes, offsets, bundle.width);
  const tile = await orFault({ ...place, kind: "tile", path: tilePath({ level: 0, ...bundle }) }, () => files.tile);
  const badLength = findInLength(tile, hashes, first);
  if (badLength) throw badLength;
  const stored = tile.bytes.subarray(0, hashes.length);
  const entries = { first, path, bytes, offsets };
  if (!equalBytes(hashes, stored)) throw await mismatch(above, { hashes, stored, entries, tile: tile.path });
  if (anyEntries) return { hashes, marks: new Uint32Array(0) };
  const marks = await checkLeaves(check, task, entries);
  if (files.openings) await checkOpenings(await files.openings, entries);
  return { hashes, marks };
};

type Entries = Leaves & { readonly path: string };

/** Every entry as the leaf that it must be (docs/spec/entry.md, section 3). */
const checkLeaves = async (
  { markKey }: BundleCheck,
  { bundle, note }: BundleTask,
  { first, path, bytes, offsets }: Entries,
): Promise<Uint32Array> => {
  const marks = new Uint32Array(markKey ? 2 * bundle.width : 0);
  for (let at = 0; at < bundle.width; at++) {
    const from = (offsets[at] ?? 0) + 2;
    const to = offsets[at + 1] ?? from;
    if (to - from !== LEAF_LENGTH || bytes[from] !== 0x01) {
      const place = { kind: "entry", path, index: first + at, bytes: { from: from - 2, to } } as const;
      await orFault(place, () => parseLeaf(bytes.subarray(from, to)));
    }
    if (markKey === undefined) continue;
    const mark: MarkPlace = { marks, at };
    markOperation(markKey, { bytes, from: from + 1 }, mark);
    const doubt = note?.(mark, first + at);
    if (doubt) await doubt;
  }
  return marks;
};

/** Entries against the tile of their hashes; where they differ, looks one level up for which of the two is right. */
const mismatch = async (
  above: Above,
  { hashes, stored, entries, tile }: { hashes: Uint8Array; stored: Uint8Array; entries: Entries; tile: string },
): Promise<Misfit> => {
  const at = Math.floor(hashes.findIndex((byte, i) => byte !== stored[i]) / HASH_LENGTH);
  const index = entries.first + at;
  const isVouched = await createVouched(above);
  const blamed = isVouched(hashes) ? "tile" : "entry-or-tile";
  const kind = isVouched(stored) ? "entry" : blamed;
  const inTile = { path: tile, bytes: { from: at * HASH_LENGTH, to: (at + 1) * HASH_LENGTH } };
  const [from = 0, to = 0] = entries.offsets.subarray(at, at + 2);
  const inBundle = { path: entries.path, bytes: { from, to } };
  const message = `entry ${index} does not have the hash that ${tile} gives it`;
  return new Misfit({ kind, ...(kind === "tile" ? inTile : inBundle), index, message });
};
