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

/** One file of openings as it is stored: those of the entries from `begins` to `ends` of its bundle. */
export type OpeningsFile = {
  readonly path: string;
  /** `undefined` where there is no such file. */
  readonly bytes: Uint8Array | undefined;
  readonly begins: number;
  readonly ends: number;
};

/**
 * The files that hold the openings of one bundle, up to a width at which a checkpoint was signed. The first may be one from
 * which nothing leads further back: `bundleOf` says why.
 */
export const readOpeningsFiles = async (
  storage: LogReader,
  { index, width }: { index: number; width: number },
): Promise<readonly OpeningsFile[]> => {
  const files: OpeningsFile[] = [];
  for (let ends = width; ends > 0; ) {
    const path = openingsPath({ index, width: ends });
    const bytes = await storage.read(path);
    const begins = bytes?.[0] ?? ends;
    files.unshift({ path, bytes, begins, ends });
    if (begins >= ends) break;
    ends = begins;
  }
  return files;
};

/** The bundle in a file of openings, from its byte 1 on; throws `tile-missing` or `bundle-malformed`. */
export const bundleOf = ({ path, bytes, begins, ends }: OpeningsFile): Uint8Array => {
  if (bytes === undefined) throw new LedgerError("tile-missing", `the openings have no file ${path}`);
  if (begins >= ends) throw new LedgerError("bundle-malformed", `openings file ${path} begins where it ends`);
  return bytes.subarray(1);
};

/**
 * The openings of one bundle, up to a width at which a checkpoint was signed. Rejects with `tile-missing` or
 * `bundle-malformed`.
 */
export const readOpenings = async (
  storage: LogReader,
  bundle: { index: number; width: number },
): Promise<readonly Uint8Array[]> => {
  const files = await readOpeningsFiles(storage, bundle);
  return files.flatMap((file) => parseBundle(bundleOf(file), file.ends - file.begins));
};
