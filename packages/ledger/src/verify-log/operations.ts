import { equalBytes } from "../bytes.ts";
import { parseLeaf } from "../entry/leaf.ts";
import { type LogReader, readEntries } from "../storage/tile-storage.ts";
import { entriesPath, TILE_WIDTH } from "../tree/paths.ts";
import { Misfit, orFault } from "./misfit.ts";
import { createOperationBook, type NoteOperation } from "./operation-book.ts";
import { createSpilledBook, type Scratch } from "./spilled-book.ts";

/** Holds the operations of a log against each other: one event stands in a log once (docs/spec/entry.md, section 3). */
export type Operations = {
  /** May reject at once with the Misfit of an entry whose operation was noted before. */
  readonly note: NoteOperation;
  /** Rejects with the Misfit of the first entry, of all that were noted, whose operation was noted before. */
  readonly finish: () => Promise<void>;
};

/** In memory, or in a scratch where the log is too large for that. */
export const createOperations = (tiles: LogReader, size: number, scratch: Scratch | undefined): Operations => {
  const findSame = createFindSame(tiles, size);
  return scratch ? inScratch(scratch, size, findSame) : inMemory(size, findSame);
};

type FindSame = (index: number, earlier: readonly number[]) => Promise<Misfit | undefined>;

const inMemory = (size: number, findSame: FindSame): Operations => {
  const book = createOperationBook(size);
  const compare = async (index: number, alike: readonly number[]): Promise<void> => {
    const same = await findSame(index, alike);
    if (same) throw same;
  };
  return {
    note: (mark, index) => {
      const alike = book.note(mark, index);
      return alike.length === 0 ? undefined : compare(index, alike);
    },
    finish: async () => undefined,
  };
};

const inScratch = (scratch: Scratch, size: number, findSame: FindSame): Operations => {
  const book = createSpilledBook(scratch, { size });
  return {
    note: book.note,
    finish: async () => {
      let first: { readonly index: number; readonly misfit: Misfit } | undefined;
      for await (const part of book.suspects()) {
        for await (const { index, earlier } of part) {
          if (first && index > first.index) break;
          const misfit = await findSame(index, earlier);
          if (misfit === undefined) continue;
          first = { index, misfit };
          break;
        }
      }
      if (first) throw first.misfit;
    },
  };
};

/** Their marks are alike; whether their operations are, the entries say. */
const createFindSame = (tiles: LogReader, size: number): FindSame => {
  const bundleOf = (entry: number) => {
    const index = Math.floor(entry / TILE_WIDTH);
    return { index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
  };
  const readOperation = async (index: number): Promise<Uint8Array> => {
    const bundle = bundleOf(index);
    return orFault({ kind: "entry", path: entriesPath(bundle), index }, async () => {
      const entries = await readEntries(tiles, bundle);
      return parseLeaf(entries[index % TILE_WIDTH] ?? new Uint8Array(0)).operationId;
    });
  };
  return async (index, earlier) => {
    const own = await readOperation(index);
    for (const other of earlier) {
      if (!equalBytes(own, await readOperation(other))) continue;
      const message = `entry ${index} is of the same operation as entry ${other}`;
      return new Misfit({ kind: "entry", path: entriesPath(bundleOf(index)), index, message });
    }
    return undefined;
  };
};
