import { equalBytes } from "../bytes.ts";
import { type LogReader, readTile } from "../storage/tile-storage.ts";
import { fullTileRoot, hashesOf } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { TILE_WIDTH, type Tile, tilePath } from "../tree/paths.ts";
import { Misfit, orFault } from "./misfit.ts";
import { findInLength } from "./tile-length.ts";

/** The tiles above level 0, derived from the roots of the tiles below, and held against those of the log. */
export type UpperTiles = {
  /** Takes the root of the next full tile of level 0; compares each tile that is full with it. */
  readonly add: (root: Uint8Array) => Promise<void>;
  /** Compares the partial tiles at the end. */
  readonly finish: () => Promise<void>;
  /** The hashes of the partial tiles, from level 1 on. */
  readonly levels: () => readonly (readonly Uint8Array[])[];
};

type Level = { readonly bytes: Uint8Array; count: number; full: number };

export const createUpperTiles = (tiles: LogReader): UpperTiles => {
  const levels: Level[] = [];
  const levelAt = (level: number): Level => {
    const known = levels[level - 1];
    if (known) return known;
    const made: Level = { bytes: new Uint8Array(TILE_WIDTH * HASH_LENGTH), count: 0, full: 0 };
    levels.push(made);
    return made;
  };
  const partOf = ({ bytes, count }: Level): Uint8Array => bytes.subarray(0, count * HASH_LENGTH);
  return {
    add: async (root) => {
      let carried = root;
      for (let level = 1; ; level++) {
        const held = levelAt(level);
        held.bytes.set(carried, held.count * HASH_LENGTH);
        held.count += 1;
        if (held.count < TILE_WIDTH) return;
        await compareTile(tiles, { level, index: held.full, width: TILE_WIDTH }, held.bytes);
        carried = fullTileRoot(held.bytes);
        held.count = 0;
        held.full += 1;
      }
    },
    finish: async () => {
      for (const [at, held] of levels.entries()) {
        if (held.count === 0) continue;
        await compareTile(tiles, { level: at + 1, index: held.full, width: held.count }, partOf(held));
      }
    },
    levels: () => levels.map((held) => hashesOf(partOf(held))),
  };
};

const compareTile = async (tiles: LogReader, tile: Tile, expected: Uint8Array): Promise<void> => {
  const file = await orFault({ kind: "tile", path: tilePath(tile) }, () => readTile(tiles, tile));
  const badLength = findInLength(file, expected);
  if (badLength) throw badLength;
  const stored = file.bytes.subarray(0, expected.length);
  if (equalBytes(expected, stored)) return;
  const at = Math.floor(expected.findIndex((byte, i) => byte !== stored[i]) / HASH_LENGTH);
  const bytes = { from: at * HASH_LENGTH, to: (at + 1) * HASH_LENGTH };
  const message = `hash ${at} of ${file.path} is not the one of the entries below it`;
  throw new Misfit({ kind: "tile", path: file.path, bytes, message });
};
