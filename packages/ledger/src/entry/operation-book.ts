const START_SLOTS = 1 << 12;
const MARK_LENGTH = 8;

/** Which operation ids were seen, and at which index; at most 64 bytes of memory for each, however many there are. */
export type OperationBook = {
  /**
   * Notes the id of this entry. Answers the index of an earlier entry whose id begins with the same 8 bytes (compare the
   * two), nothing where there is none.
   */
  readonly note: (operationId: Uint8Array, index: number) => number | undefined;
};

/** An open hash table over flat memory: a set of ten million strings would take a gigabyte. */
export const createOperationBook = (): OperationBook => {
  let marks = new BigUint64Array(START_SLOTS);
  /** 0 is an empty slot; otherwise the index, plus one. */
  let indexes = new Float64Array(START_SLOTS);
  let count = 0;
  const slotOf = (mark: bigint): number => {
    const mask = indexes.length - 1;
    let slot = Number(mark & 0xffffffffn) & mask;
    while (indexes[slot] !== 0 && marks[slot] !== mark) slot = (slot + 1) & mask;
    return slot;
  };
  const put = (mark: bigint, place: number) => {
    const slot = slotOf(mark);
    marks[slot] = mark;
    indexes[slot] = place;
  };
  const grow = () => {
    const [oldMarks, oldIndexes] = [marks, indexes];
    marks = new BigUint64Array(2 * oldMarks.length);
    indexes = new Float64Array(2 * oldIndexes.length);
    for (const [slot, place] of oldIndexes.entries()) if (place !== 0) put(oldMarks[slot] ?? 0n, place);
  };
  return {
    note: (operationId, index) => {
      const mark = new DataView(operationId.buffer, operationId.byteOffset, MARK_LENGTH).getBigUint64(0);
      const earlier = indexes[slotOf(mark)] ?? 0;
      if (earlier !== 0) return earlier - 1;
      if (2 * (count + 1) > indexes.length) grow();
      put(mark, index + 1);
      count += 1;
      return undefined;
    },
  };
};
