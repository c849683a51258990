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

/** The entries of a bundle of known width, as views of its bytes; throws `bundle-malformed` naming the entry. */
export const parseBundle = (bytes: Uint8Array, width: number): readonly Uint8Array[] => {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 2 + u16be(bytes, offset);
    if (offset + 2 > bytes.length || end > bytes.length) throw malformed(`entry ${entries.length} is cut short`);
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (entries.length !== width) throw malformed(`it holds ${entries.length} entries instead of ${width}`);
  return entries;
};

const malformed = (why: string): LedgerError => new LedgerError("bundle-malformed", `entry bundle: ${why}`);
