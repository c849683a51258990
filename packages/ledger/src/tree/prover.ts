import { LedgerError } from "../error.ts";
import { assertSize, HASH_LENGTH, nodeHash, splitOf } from "./hashes.ts";
import { TILE_WIDTH, type Tile } from "./paths.ts";

/** Reads one tile: `width` hashes, concatenated. Rejects with `tile-missing` or `tile-malformed`. */
export type TileReader = (tile: Tile) => Promise<Uint8Array>;

/** Makes proofs for one size of a tree, from its tiles. A tile that lies makes proofs that do not verify. */
export type Prover = {
  readonly size: number;
  /** The root of the tree, computed from its tiles; rejects with `range-invalid` for an empty tree, which has none. */
  readonly root: () => Promise<Uint8Array>;
  /** The audit path of one leaf (RFC 6962, section 2.1.1); throws `range-invalid`. */
  readonly inclusion: (index: number) => Promise<readonly Uint8Array[]>;
  /** That the tree of the old size is a prefix (RFC 6962, section 2.1.2); empty for 0 and for the same size. */
  readonly consistency: (oldSize: number) => Promise<readonly Uint8Array[]>;
};

/** The leaves from `start` up to, not including, `end`. */
type Range = { readonly start: number; readonly end: number };
/** A perfect subtree of 2^height leaves, the index-th of its height. */
type Node = { readonly height: number; readonly index: number };

const TILE_HEIGHT = 8;
/** Tiles kept in memory by one prover: 16 KiB each. */
const MAX_TILES = 512;

/** Makes proofs for the tree of one size out of its tiles. Cheap for many proofs of the same tree: it keeps tiles. */
export const createProver = ({ size, readTile }: { size: number; readTile: TileReader }): Prover => {
  assertSize(size);
  const tiles = createTileCache(size, readTile);
  const right = new Map<number, Uint8Array>();
  const hashOf = ({ start, end }: Range): Uint8Array => {
    const length = end - start;
    if (isPower(length)) return tiles.node({ height: Math.log2(length), index: start / length });
    // Only ranges at the tree's right edge are not perfect, and they all end with it or with the old size.
    const kept = end === size ? right.get(start) : undefined;
    if (kept) return kept;
    const middle = start + splitOf(length);
    const hash = nodeHash(hashOf({ start, end: middle }), hashOf({ start: middle, end }));
    if (end === size) right.set(start, hash);
    return hash;
  };
  const hashAll = async (ranges: readonly Range[]): Promise<readonly Uint8Array[]> => {
    const nodes = ranges.flatMap(nodesOf);
    // Another proof may have emptied the cache while this one was reading.
    while (!tiles.has(nodes)) await tiles.load(nodes);
    return ranges.map(hashOf);
  };
  return {
    size,
    root: async () => {
      if (size === 0) throw new LedgerError("range-invalid", "an empty tree has no tiles");
      const [root] = await hashAll([{ start: 0, end: size }]);
      if (root === undefined) throw new LedgerError("range-invalid", "an empty tree has no tiles");
      return root;
    },
    inclusion: async (index) => hashAll(inclusionRanges(index, size)),
    consistency: async (oldSize) => hashAll(consistencyRanges(oldSize, size)),
  };
};

const inclusionRanges = (index: number, size: number): Range[] => {
  assertSize(index, "an index");
  if (index >= size) throw new LedgerError("range-invalid", "the index lies beyond the tree");
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
};

const consistencyRanges = (oldSize: number, size: number): Range[] => {
  assertSize(oldSize);
  if (oldSize > size) throw new LedgerError("range-invalid", "the old tree is larger than the new one");
  if (oldSize === 0 || oldSize === size) return [];
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  while (end !== oldSize) {
    const middle = start + splitOf(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The old tree itself is known to whoever verifies, unless something stands to the left of what is left of it.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
};

/** Math.log2 rounds large numbers next to a power of two onto it. */
const isPower = (n: number): boolean => n === 1 || splitOf(n) * 2 === n;

/** The perfect subtrees that a range is made of. */
const nodesOf = ({ start, end }: Range): Node[] => {
  const nodes: Node[] = [];
  for (let at = start; at < end; ) {
    let length = 1;
    while (at % (length * 2) === 0 && at + length * 2 <= end) length *= 2;
    nodes.push({ height: Math.log2(length), index: at / length });
    at += length;
  }
  return nodes;
};

/** Where a node lies: in which tile, and there in which row (0 = the tile's own hashes) at which place. */
const placeOf = ({ height, index }: Node, size: number) => {
  const level = Math.floor(height / TILE_HEIGHT);
  const row = height % TILE_HEIGHT;
  const first = index * 2 ** row;
  const tileIndex = Math.floor(first / TILE_WIDTH);
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  const width = Math.min(TILE_WIDTH, hashes - tileIndex * TILE_WIDTH);
  return { tile: { level, index: tileIndex, width }, row, offset: (first % TILE_WIDTH) / 2 ** row };
};

const createTileCache = (size: number, readTile: TileReader) => {
  const rows = new Map<string, Uint8Array[][]>();
  const nameOf = ({ level, index }: Tile): string => `${level}/${index}`;
  const has = (nodes: readonly Node[]): boolean => nodes.every((node) => rows.has(nameOf(placeOf(node, size).tile)));
  const load = async (nodes: readonly Node[]): Promise<void> => {
    const missing = new Map<string, Tile>();
    for (const node of nodes) {
      const { tile } = placeOf(node, size);
      if (!rows.has(nameOf(tile))) missing.set(nameOf(tile), tile);
    }
    if (rows.size > MAX_TILES) rows.clear();
    const read = await Promise.all([...missing].map(async ([name, tile]) => ({ name, bytes: await readTile(tile) })));
    for (const { name, bytes } of read) rows.set(name, rowsOf(bytes));
  };
  const node = (wanted: Node): Uint8Array => {
    const { tile, row, offset } = placeOf(wanted, size);
    const hash = rows.get(nameOf(tile))?.[row]?.[offset];
    if (hash === undefined) throw new LedgerError("tile-malformed", `tile ${nameOf(tile)} has too few hashes`);
    return hash;
  };
  return { has, load, node };
};

const rowsOf = (bytes: Uint8Array): Uint8Array[][] => {
  let row = Array.from({ length: bytes.length / HASH_LENGTH }, (_, i) =>
    bytes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH),
  );
  const rows = [row];
  while (row.length > 1 && rows.length < TILE_HEIGHT) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      const [left, right] = [row[i], row[i + 1]];
      if (left && right) above.push(nodeHash(left, right));
    }
    rows.push(above);
    row = above;
  }
  return rows;
};
