import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSpilledBook, type Scratch, type Suspect } from "./spilled-book.ts";

const inMemory = (): Scratch & { readonly parts: Map<number, number[]> } => {
  const parts = new Map<number, number[]>();
  return {
    parts,
    append: async (part, bytes) => void parts.set(part, [...(parts.get(part) ?? []), ...bytes]),
    read: async (part) => Uint8Array.from(parts.get(part) ?? []),
  };
};

type Mark = readonly [high: number, low: number];
const suspectsAfter = async (
  marks: readonly Mark[],
  { first = 0, scratch = inMemory() } = {},
): Promise<Suspect[][]> => {
  const book = createSpilledBook(scratch, { size: marks.length, partRecords: 4, buffered: 3 });
  for (const [n, mark] of marks.entries()) await book.note({ marks: Uint32Array.from(mark), at: 0 }, first + n);
  const found: Suspect[][] = [];
  for await (const part of book.suspects()) {
    const suspects: Suspect[] = [];
    for await (const suspect of part) suspects.push(suspect);
    found.push(suspects);
  }
  return found;
};

const half = fc.constantFrom(0, 1, 2, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff);

describe("createSpilledBook()", () => {
  test("finds every earlier entry of a mark that comes again, and none of quite another", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(half, half), { maxLength: 120 }), async (marks) => {
        const seen = new Map<string, number[]>();
        const expected = new Map<number, readonly number[]>();
        for (const [index, mark] of marks.entries()) {
          const earlier = seen.get(mark.join()) ?? [];
          if (earlier.length > 0) expected.set(index, earlier);
          seen.set(mark.join(), [...earlier, index]);
        }
        const found = new Map((await suspectsAfter(marks)).flat().map(({ index, earlier }) => [index, earlier]));
        for (const [index, earlier] of expected) expect(found.get(index)).toEqual(expect.arrayContaining([...earlier]));
        // What is alike in half its mark may be among them.
        for (const [index, earlier] of found) {
          for (const other of earlier) expect([other < index, marks[other]?.[1]]).toEqual([true, marks[index]?.[1]]);
        }
      }),
    );
  });

  test("answers those of each part in the order of the log", async () => {
    const marks = Array.from({ length: 64 }, (_, n): Mark => [((n % 16) * 0x10000000) >>> 0, 5]);
    const parts = await suspectsAfter(marks);
    expect(parts).toHaveLength(16);
    expect(parts.flat()).toHaveLength(48);
    for (const part of parts) {
      const indices = part.map(({ index }) => index);
      expect(indices).toEqual(indices.toSorted((a, b) => a - b));
    }
  });

  test("keeps indices beyond 2^32 as they are", async () => {
    const first = 2 ** 33 + 5;
    const marks: Mark[] = [
      [1, 1],
      [2, 2],
      [1, 1],
    ];
    expect((await suspectsAfter(marks, { first })).flat()).toEqual([{ index: first + 2, earlier: [first] }]);
  });

  test("puts each entry away once, in 16 bytes, and nothing for an empty log", async () => {
    const scratch = inMemory();
    const marks = Array.from({ length: 100 }, (_, n): Mark => [(n * 0x9e3779b9) >>> 0, n]);
    await suspectsAfter(marks, { scratch });
    expect([...scratch.parts.values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBe(1600);
    expect(scratch.parts.size).toBeGreaterThan(8);
    expect((await suspectsAfter([])).flat()).toEqual([]);
  });
});
