import { toHex } from "../bytes.ts";
import { parseLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import { type LogReader, readEntries } from "../storage/tile-storage.ts";
import { TILE_WIDTH } from "../tree/paths.ts";

/** Where in a log a tag or an operation id stands (docs/spec/census.md, section 6). */
export type EntryIndex = {
  /** The size of the log that was indexed. */
  readonly size: number;
  /** The indices of entries with this tag or operation id, ascending; none where it is nowhere. */
  readonly find: (id: Uint8Array) => Promise<readonly number[]>;
};

/** One entry's tag and operation id; `undefined` for what is no version 1 leaf. */
export type IndexedEntry = { readonly index: number; readonly tag: Uint8Array; readonly operationId: Uint8Array };

/** Reads every entry of a log of this size, a bundle at a time. Rejects as `readEntries` does. */
export async function* readIndexedEntries(reader: LogReader, size: number): AsyncGenerator<IndexedEntry> {
  for (let start = 0; start < size; start += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - start);
    const entries = await readEntries(reader, { index: start / TILE_WIDTH, width });
    for (const [at, entry] of entries.entries()) {
      const ids = idsOf(entry);
      if (ids) yield { index: start + at, ...ids };
    }
  }
}

const idsOf = (entry: Uint8Array) => {
  try {
    const { tag, operationId } = parseLeaf(entry);
    return { tag, operationId };
  } catch (error) {
    // Entries of another kind than ours may stand in a log; they are about nobody.
    if (error instanceof LedgerError && error.code === "leaf-malformed") return undefined;
    throw error;
  }
};

/** An index in memory: some 200 bytes an entry. */
export const indexInMemory = async (reader: LogReader, size: number): Promise<EntryIndex> => {
  const places = new Map<string, number[]>();
  const put = (id: Uint8Array, index: number): void => {
    const known = places.get(toHex(id));
    if (known) known.push(index);
    else places.set(toHex(id), [index]);
  };
  for await (const { index, tag, operationId } of readIndexedEntries(reader, size)) {
    put(tag, index);
    put(operationId, index);
  }
  return { size, find: async (id) => places.get(toHex(id)) ?? [] };
};
