import { equalBytes } from "../bytes.ts";
import { LEAF_LENGTH } from "../entry/leaf.ts";
import type { StoredFile } from "../storage/tile-storage.ts";
import { type BundleBreak, findBreak } from "../tree/bundle.ts";
import { hashBundle } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import { Misfit } from "./misfit.ts";
import { type Above, createVouched } from "./vouched.ts";

/** Each entry's length stands before it in two bytes. */
const ENTRY_LENGTH = 2 + LEAF_LENGTH;

/**
 * What does not fit first in a file that is no bundle: an entry that has not the hash that the tile gives it, where the
 * tile is sure; one that is no leaf by its length; one that is not there whole; or what stands after the last.
 */
export const findInBroken = async (
  above: Above,
  { file, tile, anyEntries }: { file: StoredFile; tile: Promise<StoredFile>; anyEntries: boolean },
): Promise<Misfit> => {
  const broken = findBreak(file.bytes, file.width);
  const first = above.bundle.index * TILE_WIDTH;
  const hashes = await sureHashes(above, tile);
  const unlike = hashes ? firstUnlike(file.bytes, broken, hashes) : undefined;
  const strange = anyEntries ? undefined : firstStrange(file.bytes, broken);
  const { path, bytes } = file;
  const place = { kind: "entry", path } as const;
  const must = file.width * ENTRY_LENGTH;
  const length =
    anyEntries || bytes.length === must ? "" : `; ${path} is ${bytes.length} bytes long and must be ${must}`;
  if (strange && strange.at <= (unlike ?? strange.at)) {
    const index = first + strange.at;
    const message = `entry ${index} is ${strange.length} bytes long by the length before it, and must be ${LEAF_LENGTH}${length}`;
    return new Misfit({ ...place, index, bytes: { from: strange.from, to: strange.from + 2 }, message });
  }
  if (unlike !== undefined) {
    const index = first + unlike;
    const [from = 0, to = 0] = broken.offsets.slice(unlike, unlike + 2);
    const message = `entry ${index} does not have the hash that its tile gives it, and the lengths behind it do not fit${length}`;
    return new Misfit({ ...place, index, bytes: { from, to }, message });
  }
  return breakIn(file, first, { broken, anyEntries });
};

type Broken = { readonly broken: BundleBreak; readonly anyEntries: boolean };

const sureHashes = async (above: Above, tile: Promise<StoredFile>): Promise<Uint8Array | undefined> => {
  const stored = await tile.catch(() => undefined);
  const hashes = stored?.bytes.subarray(0, above.bundle.width * HASH_LENGTH);
  if (hashes?.length !== above.bundle.width * HASH_LENGTH) return undefined;
  return (await createVouched(above))(hashes) ? hashes : undefined;
};

const firstUnlike = (bytes: Uint8Array, { offsets }: BundleBreak, hashes: Uint8Array): number | undefined => {
  const known = Math.min(offsets.length - 1, hashes.length / HASH_LENGTH);
  const derived = hashBundle(bytes, Uint32Array.from(offsets), known);
  const hashAt = (of: Uint8Array, at: number) => of.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH);
  for (let at = 0; at < known; at++) if (!equalBytes(hashAt(derived, at), hashAt(hashes, at))) return at;
  return undefined;
};

/** The first whose length is not a leaf's, of those that are there whole and the one that is not. */
const firstStrange = (bytes: Uint8Array, { offsets, from, to }: BundleBreak) => {
  const isCut = to > bytes.length && from + 2 <= bytes.length;
  const ends = isCut ? [...offsets, to] : offsets;
  for (let at = 0; at + 1 < ends.length; at++) {
    const [start = 0, end = 0] = ends.slice(at, at + 2);
    if (end - start !== ENTRY_LENGTH) return { at, from: start, length: end - start - 2 };
  }
  return undefined;
};

const breakIn = (file: StoredFile, first: number, { broken, anyEntries }: Broken): Misfit => {
  const { path, bytes, width } = file;
  const { offsets, from } = broken;
  const at = offsets.length - 1;
  const place = { kind: "entry", path } as const;
  const found = `${path} is ${bytes.length} bytes long`;
  if (at === width) {
    const message = `${found} and must be ${from}, where its entries ${first} to ${first + width - 1} end`;
    return new Misfit({ ...place, bytes: { from, to: broken.to }, message });
  }
  const index = first + at;
  const to = anyEntries ? broken.to : from + ENTRY_LENGTH;
  const must = anyEntries ? "" : ` and must be ${width * ENTRY_LENGTH}`;
  const message = `${found}${must}; entry ${index} and the length before it begin at byte ${from} and go on to byte ${to}${anyEntries ? " at least" : ""}`;
  return new Misfit({ ...place, index, bytes: { from, to }, message });
};
