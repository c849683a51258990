import { createOperationBook, type MarkPlace } from "./operation-book.ts";

/** A place for bytes that do not fit memory; `createScratch` of `@tipstaff/ledger/folder` makes one on disk. */
export type Scratch = {
  /** Puts bytes behind those that the part of this number, from 0, has already. They may change once it has answered. */
  readonly append: (part: number, bytes: Uint8Array) => Promise<void>;
  /** All bytes of that part, in order; none where nothing was put there. */
  readonly read: (part: number) => Promise<Uint8Array>;
};

/** Two entries that may be of one operation: compare them. */
export type Suspect = { readonly index: number; readonly earlier: readonly number[] };

/** Which marks were seen, and at which index, for a log of any size. */
export type SpilledBook = {
  /** Notes the mark of this entry; ascending. A promise only where something had to be put away. */
  readonly note: (mark: MarkPlace, index: number) => Promise<void> | undefined;
  /** Of each part, in ascending order of the later entry, those whose marks may have stood there before. */
  readonly suspects: () => AsyncGenerator<AsyncGenerator<Suspect>>;
};

/** Mark, two words; index, two words. */
const WORDS = 4;
const WORD_BYTES = 4;
const BUFFERED = 4096;
/** 24 MiB of memory while a part is looked through, up to 2^27 entries. */
const PART_RECORDS = 2 ** 19;
/** 16 MiB of memory while marks are noted. */
const MOST_PARTS = 256;

/** Puts marks away by their first bits, so that all that are alike lie in one part, and one part fits memory. */
export const createSpilledBook = (
  scratch: Scratch,
  { size, partRecords = PART_RECORDS, buffered = BUFFERED }: { size: number; partRecords?: number; buffered?: number },
): SpilledBook => {
  const parts = Math.min(MOST_PARTS, 2 ** Math.ceil(Math.log2(Math.max(1, size / partRecords))));
  const buffers = Array.from({ length: parts }, () => ({ words: new Uint32Array(buffered * WORDS), records: 0 }));
  const flush = async (part: number): Promise<void> => {
    const buffer = buffers[part];
    if (buffer === undefined || buffer.records === 0) return;
    const bytes = new Uint8Array(buffer.words.buffer, 0, buffer.records * WORDS * WORD_BYTES);
    await scratch.append(part, bytes);
    buffer.records = 0;
  };
  return {
    note: ({ marks, at }, index) => {
      const high = marks[2 * at] ?? 0;
      const part = Math.floor((high / 2 ** 32) * parts);
      const buffer = buffers[part];
      if (buffer === undefined) throw new RangeError("a mark belongs to no part");
      const { words, records } = buffer;
      words[WORDS * records] = high;
      words[WORDS * records + 1] = marks[2 * at + 1] ?? 0;
      words[WORDS * records + 2] = index % 2 ** 32;
      words[WORDS * records + 3] = Math.floor(index / 2 ** 32);
      buffer.records += 1;
      return buffer.records === buffered ? flush(part) : undefined;
    },
    suspects: async function* () {
      for (let part = 0; part < parts; part++) {
        await flush(part);
        yield suspectsOf(await scratch.read(part));
      }
    },
  };
};

async function* suspectsOf(bytes: Uint8Array): AsyncGenerator<Suspect> {
  const words = new Uint32Array(bytes.slice().buffer);
  const records = words.length / WORDS;
  const book = createOperationBook(records);
  const indexOf = (record: number) => (words[WORDS * record + 2] ?? 0) + (words[WORDS * record + 3] ?? 0) * 2 ** 32;
  for (let record = 0; record < records; record++) {
    // A mark is the first two words of a record, as it would be of marks that lie two words each.
    const alike = book.note({ marks: words, at: (WORDS / 2) * record }, record);
    if (alike.length > 0) yield { index: indexOf(record), earlier: alike.map(indexOf) };
  }
}
