import { concat } from "../bytes.ts";
import { encodeBundle } from "./bundle.ts";
import { foldPeaks, leafHash, nodeHash } from "./hashes.ts";
import { entriesPath, TILE_WIDTH, tilePath } from "./paths.ts";

/** A file of the log, named by its path below the log's folder or URL. */
export type LogFile = { readonly path: string; readonly bytes: Uint8Array };

/**
 * The right edge of a log: all that is needed to append to it and to know its root. `levels[l]` holds the hashes of the
 * partial tile at level l (at most 255), `entries` the entries of the partial bundle.
 */
export type LogEdge = {
  readonly size: number;
  readonly levels: readonly (readonly Uint8Array[])[];
  readonly entries: readonly Uint8Array[];
};

/** The edge of a log without entries. */
export const emptyEdge: LogEdge = { size: 0, levels: [], entries: [] };

/** The root hash of the whole tree (RFC 6962, section 2.1). */
export const edgeRoot = ({ levels }: LogEdge): Uint8Array => foldPeaks(levels.toReversed().flatMap(peaksOf));

/** The roots of the perfect subtrees over consecutive hashes, the largest first. */
const peaksOf = (hashes: readonly Uint8Array[]): Uint8Array[] => {
  const peaks: Uint8Array[] = [];
  let offset = 0;
  for (let width = TILE_WIDTH; width >= 1; width /= 2) {
    if (hashes.length - offset < width) continue;
    peaks.push(perfectRoot(hashes.slice(offset, offset + width)));
    offset += width;
  }
  return peaks;
};

const perfectRoot = (hashes: readonly Uint8Array[]): Uint8Array => {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) above.push(nodeHash(row[i] ?? none, row[i + 1] ?? none));
    row = above;
  }
  return row[0] ?? none;
};
const none = new Uint8Array(0);

/**
 * Appends entries, and derives every file by which the log of the new size differs from the log of the old one: full
 * tiles and bundles, and the partial ones of the new size (C2SP tlog-tiles). Changes nothing in place.
 * `hashes` are the leaf hashes of the entries, for who has them already.
 */
export const extendEdge = (
  edge: LogEdge,
  entries: readonly Uint8Array[],
  hashes: readonly Uint8Array[] = entries.map(leafHash),
): { readonly edge: LogEdge; readonly files: readonly LogFile[] } => {
  const bundles = deriveBundles(edge, entries);
  const tiles = extendTiles(edge, hashes);
  return {
    edge: { size: edge.size + entries.length, levels: tiles.levels, entries: bundles.rest },
    files: [...bundles.files, ...tiles.files],
  };
};

/** The same for the tiles alone: what the leaf hashes add to each level, and the tiles by which it differs. */
export const extendTiles = (
  edge: Omit<LogEdge, "entries">,
  hashes: readonly Uint8Array[],
): { readonly levels: LogEdge["levels"]; readonly files: readonly LogFile[] } => {
  const files: LogFile[] = [];
  const levels: (readonly Uint8Array[])[] = [];
  let added = hashes;
  for (let level = 0, span = 1; level < edge.levels.length || added.length > 0; level++, span *= TILE_WIDTH) {
    const derived = deriveLevel({ level, start: Math.floor(edge.size / span), held: edge.levels[level] ?? [], added });
    files.push(...derived.files);
    levels.push(derived.rest);
    added = derived.roots;
  }
  return { levels, files };
};

const deriveBundles = (edge: LogEdge, entries: readonly Uint8Array[]) => {
  const files: LogFile[] = [];
  const all = [...edge.entries, ...entries];
  const first = Math.floor(edge.size / TILE_WIDTH);
  for (const { index, items } of splitTiles(first, all)) {
    if (entries.length === 0) break;
    files.push({ path: entriesPath({ index, width: items.length }), bytes: encodeBundle(items) });
  }
  return { files, rest: all.slice(all.length - (all.length % TILE_WIDTH)) };
};

const deriveLevel = (input: {
  level: number;
  start: number;
  held: readonly Uint8Array[];
  added: readonly Uint8Array[];
}) => {
  const files: LogFile[] = [];
  const roots: Uint8Array[] = [];
  const all = [...input.held, ...input.added];
  for (const { index, items } of splitTiles(Math.floor(input.start / TILE_WIDTH), all)) {
    if (input.added.length === 0) break;
    files.push({ path: tilePath({ level: input.level, index, width: items.length }), bytes: concat(items) });
    if (items.length === TILE_WIDTH) roots.push(perfectRoot(items));
  }
  return { files, roots, rest: all.slice(all.length - (all.length % TILE_WIDTH)) };
};

const splitTiles = (first: number, all: readonly Uint8Array[]) =>
  Array.from({ length: Math.ceil(all.length / TILE_WIDTH) }, (_, i) => ({
    index: first + i,
    items: all.slice(i * TILE_WIDTH, (i + 1) * TILE_WIDTH),
  }));
