import { base64Runs, decodeBase64, decodeHex, hexRuns } from "./coded-runs.ts";
import { type Part, readableParts, wideParts } from "./readable-parts.ts";
import { searchText } from "./search-text.ts";
import { createTextIndex } from "./text-index.ts";
import type { Wanted } from "./wanted.ts";
import { WINDOW_BYTES } from "./windows.ts";

const DEEPEST = 2;
const BASE64_SHIFTS = [0, 1, 2, 3];
const HEX_SHIFTS = [0, 1];

/** Adds to `found` everybody whose name or number stands in these bytes. */
export type ByteSearch = (bytes: Buffer, found: Set<number>) => void;

/**
 * Searches bytes as a thief would: wherever something readable stands in them, as UTF-8 and as UTF-16, and once more
 * inside every run of base64 or hex, at each alignment that those can have.
 */
export function createByteSearch(known: Wanted): ByteSearch {
  const worthReading = createTextIndex(known);
  const scratch = Array.from({ length: DEEPEST }, () => Buffer.alloc(0));

  function search(bytes: Buffer, found: Set<number>, depth: number): void {
    for (const part of readableParts(bytes)) {
      for (const { from, to } of worthReading(bytes, part)) searchText(bytes.toString("utf8", from, to), known, found);
      if (depth < DEEPEST) searchCoded(bytes, part, { found, depth });
    }
    if (!bytes.includes(0)) return;
    for (const { from, to } of wideParts(bytes)) {
      // Half as long, and of one byte each where the letters are ASCII: it is searched as any other text.
      const narrow = Buffer.from(bytes.toString("utf16le", from, to));
      const whole = { from: 0, to: narrow.length };
      for (const part of worthReading(narrow, whole)) {
        searchText(narrow.toString("utf8", part.from, part.to), known, found);
      }
      if (depth < DEEPEST) searchCoded(narrow, whole, { found, depth });
    }
  }

  function searchCoded(bytes: Buffer, part: Part, { found, depth }: { found: Set<number>; depth: number }): void {
    for (const run of base64Runs(bytes, part)) {
      for (const shift of BASE64_SHIFTS) {
        const out = room(depth, run.to - run.from);
        const length = decodeBase64(bytes, { from: run.from + shift, to: run.to }, out);
        search(out.subarray(0, length), found, depth + 1);
      }
      for (const hex of hexRuns(bytes, run)) {
        for (const shift of HEX_SHIFTS) {
          const out = room(depth, hex.to - hex.from);
          const length = decodeHex(bytes, { from: hex.from + shift, to: hex.to }, out);
          search(out.subarray(0, length), found, depth + 1);
        }
      }
    }
  }

  /**
   * Memory for what is decoded at this depth: used again for the next run, as the one before has been searched. There is
   * enough of it for a whole window at once; what is never written to takes none of the machine's.
   */
  function room(depth: number, length: number): Buffer {
    const kept = scratch[depth];
    if (kept !== undefined && kept.length >= length) return kept;
    const made = Buffer.allocUnsafe(Math.max(length, WINDOW_BYTES));
    scratch[depth] = made;
    return made;
  }

  return (bytes, found) => search(bytes, found, 0);
}
