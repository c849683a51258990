import { startCrew } from "#crew";
import type { LogReader } from "../storage/tile-storage.ts";
import { edgeRoot } from "../tree/edge.ts";
import { fullTileRoot, hashesOf } from "../tree/hash-bundle.ts";
import { emptyRoot } from "../tree/hashes.ts";
import { type Bundle, TILE_WIDTH } from "../tree/paths.ts";
import { type BundleCheck, checkBundle, readBundleFiles } from "./check-bundle.ts";
import { Misfit } from "./misfit.ts";
import { createMarkKey, type NoteOperation } from "./operation-book.ts";
import { createOperations } from "./operations.ts";
import { createReadAhead } from "./read-ahead.ts";
import type { Scratch } from "./spilled-book.ts";
import { createUpperTiles } from "./upper-tiles.ts";

/** Bundles read while the one before is hashed. */
const READ_AHEAD = 3;

export type BundlesInput = {
  readonly tiles: LogReader;
  readonly openings?: LogReader;
  readonly anyEntries: boolean;
  /** Whether and where operations are held against each other. */
  readonly operations: "none" | "memory" | Scratch;
  readonly threads?: number;
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void;
};

/**
 * The root of the tree over all bundles, each of which fits. Where a crew works, this thread takes its answers in the
 * order of the log, and does again itself what the crew could not vouch for: so a fault is found and named in one place.
 */
export const verifyBundles = async (
  input: BundlesInput,
  { size, root }: { size: bigint; root: Uint8Array },
): Promise<Uint8Array> => {
  const of = Number(size);
  const full = Math.floor(of / TILE_WIDTH);
  const upper = createUpperTiles(input.tiles);
  const check = checkOf(input);
  const operations = operationsOf(input, of);
  const note = operations?.note;
  const verifyHere = createVerifyHere(check, { size: of, note, end: { levels: upper.levels, root } });
  const crew = startCrew(check, { bundles: full, threads: input.threads });
  try {
    for (let index = 0; index < full; index++) {
      const done = await crew?.take(index);
      if (done && note) await noteAll(note, done.marks, index * TILE_WIDTH);
      await upper.add(done ? done.root : fullTileRoot(await verifyHere(index)));
      input.onProgress?.({ entries: (index + 1) * TILE_WIDTH, of });
    }
    const partial = full * TILE_WIDTH === of ? [] : hashesOf(await verifyHere(full));
    if (partial.length > 0) input.onProgress?.({ entries: of, of });
    await operations?.finish();
    await upper.finish();
    return of === 0 ? emptyRoot() : edgeRoot({ size: of, entries: [], levels: [partial, ...upper.levels()] });
  } catch (error) {
    // An operation that stands twice comes before a fault that was met after it.
    if (error instanceof Misfit) await operations?.finish();
    throw error;
  } finally {
    await crew?.close();
  }
};

const operationsOf = ({ tiles, operations }: BundlesInput, size: number) =>
  operations === "none" ? undefined : createOperations(tiles, size, operations === "memory" ? undefined : operations);

const checkOf = ({ tiles, openings, anyEntries, operations }: BundlesInput): BundleCheck => ({
  tiles,
  anyEntries,
  ...(openings ? { openings } : {}),
  ...(operations === "none" ? {} : { markKey: createMarkKey() }),
});

const bundleOf = (index: number, size: number): Bundle => ({
  index,
  width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH),
});

/** Verifies a bundle on this thread, and answers its leaf hashes. */
const createVerifyHere = (
  check: BundleCheck,
  {
    size,
    note,
    end,
  }: {
    size: number;
    note: NoteOperation | undefined;
    end: { levels: () => readonly (readonly Uint8Array[])[]; root: Uint8Array };
  },
): ((index: number) => Promise<Uint8Array>) => {
  const bundles = Math.ceil(size / TILE_WIDTH);
  const read = (index: number) => readBundleFiles(check, bundleOf(index, size));
  const ahead = createReadAhead(read, { end: bundles, depth: READ_AHEAD });
  return async (index) => {
    const task = { bundle: bundleOf(index, size), files: ahead.take(index), end, ...(note ? { note } : {}) };
    return (await checkBundle(check, task)).hashes;
  };
};

const noteAll = async (note: NoteOperation, marks: Uint32Array, first: number): Promise<void> => {
  for (let at = 0; at < TILE_WIDTH; at++) {
    const doubt = note({ marks, at }, first + at);
    if (doubt) await doubt;
  }
};
