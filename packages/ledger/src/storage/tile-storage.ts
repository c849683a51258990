import { LedgerError } from "../error.ts";
import { parseBundle } from "../tree/bundle.ts";
import type { LogEdge, LogFile } from "../tree/edge.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { type Bundle, entriesPath, TILE_WIDTH, type Tile, tilePath } from "../tree/paths.ts";
import type { TileReader } from "../tree/prover.ts";

/** Where the signed checkpoint of a log stands (C2SP tlog-tiles, "Checkpoints"). */
export const CHECKPOINT_PATH = "checkpoint";

/** A place for files that are named by path. A folder, or any object store, can be one. */
export type LogStorage = {
  /** The bytes, or `undefined` where there is no such file. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  /** Makes files durable that never change again. One that exists must be identical, or it rejects with `tile-conflict`. */
  readonly writeOnce: (files: readonly LogFile[]) => Promise<void>;
  /** Replaces one file durably and at once: a reader sees the old one or the new one. */
  readonly replace: (file: LogFile) => Promise<void>;
  /** Removes the partial files of tiles or bundles that are full now, named by the paths of the full ones. */
  readonly dropPartials: (fullPaths: readonly string[]) => Promise<void>;
};

/** Reading alone is enough to verify and to prove. */
export type LogReader = Pick<LogStorage, "read">;

/** A tile or bundle as it is stored. `width`: how many it must hold, 256 where a partial one was filled since. */
export type StoredFile = { readonly path: string; readonly bytes: Uint8Array; readonly width: number };

/** Reads a partial file, or the full one that came after it. */
const readPart = async (storage: LogReader, width: number, pathOf: (width: number) => string): Promise<StoredFile> => {
  const [path, fullPath] = [pathOf(width), pathOf(TILE_WIDTH)];
  const exact = await storage.read(path);
  if (exact) return { path, bytes: exact, width };
  const whole = path === fullPath ? undefined : await storage.read(fullPath);
  if (whole === undefined) throw new LedgerError("tile-missing", `the log has no file ${path}`);
  return { path: fullPath, bytes: whole, width: TILE_WIDTH };
};

/** Reads the file of a tile, of whatever length it is. */
export const readTile = (storage: LogReader, tile: Tile): Promise<StoredFile> =>
  readPart(storage, tile.width, (width) => tilePath({ ...tile, width }));

/** Why a tile's file is none; `undefined` where it has the length of its hashes. */
export const tileLengthFault = ({ path, bytes, width }: StoredFile): string | undefined =>
  bytes.length === width * HASH_LENGTH
    ? undefined
    : `${path} is ${bytes.length} bytes long and must be ${width * HASH_LENGTH}`;

/** Reads tiles of a log; a partial one that has been filled since is cut out of the full one. */
export const tileReaderOf =
  (storage: LogReader): TileReader =>
  async (tile) => {
    const file = await readTile(storage, tile);
    const fault = tileLengthFault(file);
    if (fault !== undefined) throw new LedgerError("tile-malformed", `file ${fault}`);
    return file.bytes.subarray(0, tile.width * HASH_LENGTH);
  };

/** Reads the file of a bundle, unparsed. */
export const readBundle = (storage: LogReader, { index, width }: Bundle): Promise<StoredFile> =>
  readPart(storage, width, (of) => entriesPath({ index, width: of }));

/** Reads the first `width` entries of a bundle. */
export const readEntries = async (storage: LogReader, bundle: Bundle): Promise<readonly Uint8Array[]> => {
  const { bytes, width } = await readBundle(storage, bundle);
  return parseBundle(bytes, width).slice(0, bundle.width);
};

/**
 * Reads back the right edge of a log of this size, to go on with a log that stands already. Compare its `edgeRoot` with the
 * root that was signed: the files may lie. Rejects with `tile-missing`, `tile-malformed`, `bundle-malformed`.
 */
export const loadEdge = async (storage: LogReader, size: number): Promise<LogEdge> => {
  const readHashes = tileReaderOf(storage);
  const levels: Uint8Array[][] = [];
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH;
    const index = Math.floor(hashes / TILE_WIDTH);
    const bytes = width === 0 ? new Uint8Array(0) : await readHashes({ level, index, width });
    levels.push(Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_LENGTH, (i + 1) * HASH_LENGTH)));
  }
  const width = size % TILE_WIDTH;
  const index = Math.floor(size / TILE_WIDTH);
  const entries = width === 0 ? [] : await readEntries(storage, { index, width });
  return { size, levels, entries: entries.map((entry) => entry.slice()) };
};
