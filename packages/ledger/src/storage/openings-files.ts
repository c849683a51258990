import { concat } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { encodeBundle, parseBundle } from "../tree/bundle.ts";
import type { LogFile } from "../tree/edge.ts";
import { openingsPath, TILE_WIDTH } from "../tree/paths.ts";
import type { LogReader } from "./tile-storage.ts";

/**
 * The files that hold the openings of entries from `start` on. Each is one byte, the place in its bundle at which it
 * begins, and then a bundle; it is named by the place at which it ends. So nothing is written twice, and a reader walks
 * back from the last file of a bundle to the first.
 */
export const openingsFiles = (start: number, openings: readonly Uint8Array[]): LogFile[] => {
  const files: LogFile[] = [];
  for (let taken = 0; taken < openings.length; ) {
    const from = (start + taken) % TILE_WIDTH;
    const items = openings.slice(taken, taken + TILE_WIDTH - from);
    const path = openingsPath({ index: Math.floor((start + taken) / TILE_WIDTH), width: from + items.length });
    files.push({ path, bytes: concat([Uint8Array.of(from), encodeBundle(items)]) });
    taken += items.length;
  }
  return files;
};

/**
 * The openings of one bundle, up to a width at which a checkpoint was signed. Rejects with `tile-missing` or
 * `bundle-malformed`.
 */
export const readOpenings = async (
  storage: LogReader,
  { index, width }: { index: number; width: number },
): Promise<readonly Uint8Array[]> => {
  const parts: (readonly Uint8Array[])[] = [];
  let end = width;
  while (end > 0) {
    const path = openingsPath({ index, width: end });
    const bytes = await storage.read(path);
    if (bytes === undefined) throw new LedgerError("tile-missing", `the openings have no file ${path}`);
    const from = bytes[0] ?? end;
    if (from >= end) throw new LedgerError("bundle-malformed", `openings file ${path} begins where it ends`);
    parts.unshift(parseBundle(bytes.subarray(1), end - from));
    end = from;
  }
  return parts.flat();
};
