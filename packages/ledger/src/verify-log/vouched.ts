import { equalBytes } from "../bytes.ts";
import type { LogReader } from "../storage/tile-storage.ts";
import { edgeRoot } from "../tree/edge.ts";
import { hashesOf } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { type Bundle, TILE_WIDTH, tilePath } from "../tree/paths.ts";

/** What is the log's to say about a partial tile: the levels above it, and the root. */
export type LogEnd = { readonly levels: () => readonly (readonly Uint8Array[])[]; readonly root: Uint8Array };

/** A bundle, and what stands above its tile. */
export type Above = { readonly tiles: LogReader; readonly bundle: Bundle; readonly end?: LogEnd | undefined };

/** Whether these are the leaf hashes of the bundle, by the level above or by the root; `undefined`, where neither says. */
export const createVouched = async ({
  tiles,
  bundle,
  end,
}: Above): Promise<(hashes: Uint8Array) => boolean | undefined> => {
  const full = bundle.width === TILE_WIDTH;
  const wanted = full ? await readAbove(tiles, bundle.index) : end?.root;
  const above = full ? [] : (end?.levels() ?? []);
  return (hashes) =>
    wanted && equalBytes(edgeRoot({ size: 0, entries: [], levels: [hashesOf(hashes), ...above] }), wanted);
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
