import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { LedgerError } from "../error.ts";
import type { LogReader } from "../storage/tile-storage.ts";
import { type EntryIndex, readIndexedEntries } from "./entry-index.ts";

/** An index that lies in a file; to be closed after use. */
export type IndexFile = EntryIndex & { readonly close: () => Promise<void> };

const ID_LENGTH = 32;
const RECORD_LENGTH = 40;
/** "tipstaff/index/1" ‖ u64be(size of the log) ‖ u64be(records a run). */
const MAGIC = Buffer.from("tipstaff/index/1");
const HEAD_LENGTH = 32;
/** 90 MiB of memory while the index is made; the last run is shorter. */
const RUN_RECORDS = 2 ** 20;

type Options = { readonly path: string; readonly size: number; readonly runRecords?: number };

/**
 * Makes an index of a log's entries by tag and operation id (docs/spec/census.md, section 6), whole or not at all.
 * Memory stays flat. Rejects as the log's reader does; a file that stands at `path` is then as it was.
 */
export const writeIndexFile = async (
  reader: LogReader,
  { path, size, runRecords = RUN_RECORDS }: Options,
): Promise<void> => {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.write(headOf(size, runRecords));
    const run = createRun(Math.min(runRecords, 2 * size));
    for await (const { index, tag, operationId } of readIndexedEntries(reader, size)) {
      for (const id of [tag, operationId]) if (run.put(id, index)) await file.write(run.take());
    }
    await file.write(run.take());
  } catch (error) {
    await file.close();
    await rm(draft, { force: true });
    throw error;
  }
  await file.close();
  await rename(draft, path);
};

const headOf = (size: number, runRecords: number): Buffer => {
  const head = Buffer.alloc(HEAD_LENGTH);
  MAGIC.copy(head);
  head.writeBigUInt64BE(BigInt(size), 16);
  head.writeBigUInt64BE(BigInt(runRecords), 24);
  return head;
};

/** Records in two pieces of flat memory: a buffer for each would take six times as much. */
const createRun = (most: number) => {
  const put = Buffer.alloc(most * RECORD_LENGTH);
  const sorted = Buffer.alloc(put.length);
  let count = 0;
  const compare = (a: number, b: number): number =>
    put.compare(put, b * RECORD_LENGTH, (b + 1) * RECORD_LENGTH, a * RECORD_LENGTH, (a + 1) * RECORD_LENGTH);
  return {
    /** Answers whether the run is full: take it. */
    put: (id: Uint8Array, index: number): boolean => {
      put.set(id, count * RECORD_LENGTH);
      put.writeBigUInt64BE(BigInt(index), count * RECORD_LENGTH + ID_LENGTH);
      count += 1;
      return count === most;
    },
    /** The records, sorted; good until more are put. */
    take: (): Uint8Array => {
      const order = Uint32Array.from({ length: count }, (_, at) => at).sort(compare);
      for (const [to, from] of order.entries()) {
        put.copy(sorted, to * RECORD_LENGTH, from * RECORD_LENGTH, (from + 1) * RECORD_LENGTH);
      }
      count = 0;
      return sorted.subarray(0, order.length * RECORD_LENGTH);
    },
  };
};

/** Opens such a file; rejects with `storage-failed` where it is none. A lookup reads some 20 records a run. */
export const openIndexFile = async (path: string): Promise<IndexFile> => {
  const file = await open(path, "r");
  try {
    const { size: length } = await file.stat();
    const head = await readAt(file, 0, HEAD_LENGTH);
    const [size, runRecords] = [Number(head.readBigUInt64BE(16)), Number(head.readBigUInt64BE(24))];
    const records = (length - HEAD_LENGTH) / RECORD_LENGTH;
    const sound = head.subarray(0, 16).equals(MAGIC) && Number.isSafeInteger(size) && runRecords > 0;
    if (!sound || !Number.isInteger(records) || records > 2 * size) throw noIndex("it has another form");
    const find = async (id: Uint8Array): Promise<readonly number[]> => {
      const found: number[] = [];
      for (let start = 0; start < records; start += runRecords) {
        found.push(...(await findInRun(file, { id, start, end: Math.min(records, start + runRecords) })));
      }
      return found;
    };
    return { size, find, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
};

const noIndex = (why: string): LedgerError =>
  new LedgerError("storage-failed", `this is no index of a log: ${why}; make it again from the log`);

const findInRun = async (
  file: FileHandle,
  { id, start, end }: { id: Uint8Array; start: number; end: number },
): Promise<number[]> => {
  const recordAt = (place: number) => readAt(file, HEAD_LENGTH + place * RECORD_LENGTH, RECORD_LENGTH);
  let [low, high] = [start, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (Buffer.compare((await recordAt(middle)).subarray(0, ID_LENGTH), id) < 0) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (let place = low; place < end; place++) {
    const record = await recordAt(place);
    if (Buffer.compare(record.subarray(0, ID_LENGTH), id) !== 0) break;
    found.push(Number(record.readBigUInt64BE(ID_LENGTH)));
  }
  return found;
};

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead !== length) throw noIndex("it is cut short");
  return bytes;
};
