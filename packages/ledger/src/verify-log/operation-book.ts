const ID_BYTES = 32;
const VALUES = 256;

/**
 * Secret numbers for one verification: two for each value of each byte of an id. Any two ids then have one mark with a chance
 * of 2^-64, whoever chose them before the numbers were drawn (Carter and Wegman 1979; simple tabulation, which linear
 * probing may rely on: Pătraşcu and Thorup 2012). A cheaper mix of words would have differences that cancel under every key.
 */
export const createMarkKey = (): Uint32Array => crypto.getRandomValues(new Uint32Array(2 * VALUES * ID_BYTES));

/** Writes the 64-bit mark of the 32-byte operation id that begins at `from` to the place `at` of the marks. */
export const markOperation = (key: Uint32Array, id: { bytes: Uint8Array; from: number }, out: MarkPlace): void => {
  let high = 0;
  let low = 0;
  for (let i = 0; i < ID_BYTES; i++) {
    const place = 2 * (VALUES * i + (id.bytes[id.from + i] ?? 0));
    high ^= key[place] ?? 0;
    low ^= key[place + 1] ?? 0;
  }
  out.marks[2 * out.at] = high;
  out.marks[2 * out.at + 1] = low;
};

/** The mark number `at` of marks that lie two words each, one after another. */
export type MarkPlace = { readonly marks: Uint32Array; readonly at: number };

/** Notes the operation of the entry at this index; a promise only where it may be one that was noted before. */
export type NoteOperation = (mark: MarkPlace, index: number) => Promise<void> | undefined;

/** Which marks were seen, and at which index. */
export type OperationBook = {
  /** Notes the mark of this entry. Answers the indices of earlier entries that may be of the same operation: compare them. */
  readonly note: (mark: MarkPlace, index: number) => readonly number[];
};

/** The largest log, in entries, for which there can be a book. */
export const MOST_NOTED = 2 ** 28;
const NOTHING: readonly number[] = [];

/** An open hash table over flat memory, of 16 to 32 bytes for each entry of a log of this size: a set of strings would take a hundred. */
export const createOperationBook = (size: number): OperationBook => {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(4, 2 * size)));
  const last = 2 * slots - 1;
  // Slots of two words: the half of a mark that did not choose the slot; and the index plus one, or 0 where it is empty.
  const words = new Uint32Array(2 * slots);
  return {
    note: ({ marks, at }, index) => {
      const tag = marks[2 * at + 1] ?? 0;
      let slot = ((marks[2 * at] ?? 0) * 2) & last;
      let alike: number[] | undefined;
      for (; words[slot + 1] !== 0; slot = (slot + 2) & last) {
        if (words[slot] !== tag) continue;
        alike ??= [];
        alike.push((words[slot + 1] ?? 0) - 1);
      }
      words[slot] = tag;
      words[slot + 1] = index + 1;
      return alike ?? NOTHING;
    },
  };
};
