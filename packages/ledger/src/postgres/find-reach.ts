import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { type LogReader, loadEdge, readEntries } from "../storage/tile-storage.ts";
import { edgeRoot, extendEdge, type LogEdge } from "../tree/edge.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import type { KnownHead } from "./head-fits.ts";

/**
 * How far a folder's entries are vouched for: to the checkpoint that is published, or to a later one that the signer signed
 * and nobody published, where the folder holds its entries and they have the root that was signed. `published` must have
 * been verified. Throws `log-halted` where they have not, since the signer goes on from what it signed last.
 */
export const findReach = async (
  tiles: LogReader,
  published: KnownHead,
  signed: KnownHead | undefined,
): Promise<KnownHead> => {
  if (signed === undefined || signed.size <= published.size) return published;
  const found = await rootAt(tiles, published.size, signed.size);
  if (found === undefined || !equalBytes(found, signed.root)) {
    const why = found === undefined ? "does not hold them all" : "holds others";
    throw new LedgerError(
      "log-halted",
      `nothing was rebuilt: the signer signed ${signed.size} entries, ${published.size} were published, and the folder ${why}`,
    );
  }
  return signed;
};

/** The root of the first `size` entries, of which `verified` are known to be right; `undefined` where one is missing. */
const rootAt = async (tiles: LogReader, verified: number, size: number): Promise<Uint8Array | undefined> => {
  try {
    let edge = wholeBundles(await loadEdge(tiles, verified));
    while (edge.size < size) {
      const bundle = { index: edge.size / TILE_WIDTH, width: Math.min(TILE_WIDTH, size - edge.size) };
      edge = extendEdge(edge, await readEntries(tiles, bundle)).edge;
    }
    return edgeRoot(edge);
  } catch (error) {
    if (error instanceof LedgerError && error.code === "tile-missing") return undefined;
    throw error;
  }
};

/** The edge before its partial bundle: a later bundle of the same index holds those entries too, and must be read whole. */
const wholeBundles = ({ size, levels }: LogEdge): LogEdge => ({
  size: size - (size % TILE_WIDTH),
  levels: levels.map((hashes, level) => (level === 0 ? [] : hashes)),
  entries: [],
});
