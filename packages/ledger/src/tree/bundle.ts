import { u16be } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { TILE_WIDTH } from "./paths.ts";

/** Longest entry that a bundle can hold, in bytes. */
export const MAX_ENTRY_BYTES = 0xffff;

/** Entries one after another, each after its u16be length (C2SP tlog-tiles, "Log entries"); throws `bundle-malformed`. */
export const encodeBundle = (entries: readonly Uint8Array[]): Uint8Array => {
  if (entries.length > TILE_WIDTH) throw malformed("a bundle holds at most 256 entries");
  let length = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw malformed("an entry is longer than 65,535 bytes");
    length += 2 + entry.length;
  }
  const bundle = new Uint8Array(length);
  let offset = 0;
  for (const entry of entries) {
    bundle[offset] = entry.length >>> 8;
    bundle[offset + 1] = entry.length & 0xff;
    bundle.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bundle;
};

/**
 * The entries of a bundle of known width, as views of its bytes; throws `bundle-malformed`, naming the first entry that is
 * not there whole, counted from 0, or the length that the bundle must have.
 */
export const parseBundle = (bytes: Uint8Array, width: number): readonly Uint8Array[] => {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (entries.length < width && offset + 2 <= bytes.length) {
    const end = offset + 2 + u16be(bytes, offset);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (entries.length !== width || offset !== bytes.length) throw malformed(findBreak(bytes, width).why);
  return entries;
};

/** Where bytes cease to be a bundle. */
export type BundleBreak = {
  /** Where each entry begins that is there whole, and, last, where these end. */
  readonly offsets: readonly number[];
  /** What does not fit, half-open; beyond the end of the bundle where bytes are missing. */
  readonly from: number;
  readonly to: number;
  readonly why: string;
};

/** Of bytes that are no bundle of this width. */
export const findBreak = (bytes: Uint8Array, width: number): BundleBreak => {
  const offsets = [0];
  const { length } = bytes;
  for (let from = 0; offsets.length <= width; offsets.push(from)) {
    const entry = offsets.length - 1;
    const ends = `and it ends at byte ${length}`;
    if (from + 2 > length) {
      return { offsets, from, to: from + 2, why: `the length of entry ${entry} must stand at byte ${from}, ${ends}` };
    }
    const to = from + 2 + u16be(bytes, from);
    if (to > length) {
      return { offsets, from, to, why: `entry ${entry} begins at byte ${from} and must end at byte ${to}, ${ends}` };
    }
    from = to;
  }
  const from = offsets.at(-1) ?? 0;
  return {
    offsets,
    from,
    to: length,
    why: `it must be ${from} bytes long, as its ${width} entries are, and is ${length}`,
  };
};

const malformed = (why: string): LedgerError => new LedgerError("bundle-malformed", `entry bundle: ${why}`);
