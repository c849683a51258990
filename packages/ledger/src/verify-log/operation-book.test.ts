import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMarkKey, createOperationBook, markOperation } from "./operation-book.ts";

const markOf = (key: Uint32Array, bytes: Uint8Array): Uint32Array => {
  const marks = new Uint32Array(2);
  markOperation(key, { bytes, from: 0 }, { marks, at: 0 });
  return marks;
};

describe("createOperationBook()", () => {
  test("finds every earlier entry of an id that comes again, and no other", () => {
    const id = fc.tuple(fc.nat(300), fc.constantFrom(0, 31)).map(([low, at]) => {
      const bytes = new Uint8Array(32);
      bytes[at] = low;
      bytes[16] = low >>> 8;
      return bytes;
    });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 400 }), (ids) => {
        const key = createMarkKey();
        const book = createOperationBook(ids.length);
        const seen = new Map<string, number[]>();
        for (const [index, bytes] of ids.entries()) {
          const earlier = seen.get(bytes.join()) ?? [];
          expect(new Set(book.note({ marks: markOf(key, bytes), at: 0 }, index))).toEqual(new Set(earlier));
          seen.set(bytes.join(), [...earlier, index]);
        }
      }),
    );
  });

  test("answers two ids of one mark alike, so that neither hides the other", () => {
    const book = createOperationBook(4);
    const mark = { marks: Uint32Array.of(7, 9), at: 0 };
    expect(book.note(mark, 0)).toEqual([]);
    expect(book.note(mark, 1)).toEqual([0]);
    expect(book.note(mark, 2)).toEqual([0, 1]);
    expect(book.note({ marks: Uint32Array.of(0, 0, 7, 8), at: 1 }, 3)).toEqual([]);
  });

  test("keeps all that it saw, of a log of its size", () => {
    const key = createMarkKey();
    const id = (n: number) => {
      const bytes = new Uint8Array(32);
      new DataView(bytes.buffer).setUint32(28, n);
      return bytes;
    };
    const book = createOperationBook(50_000);
    let alike = 0;
    for (let n = 0; n < 50_000; n += 1) alike += book.note({ marks: markOf(key, id(n)), at: 0 }, n).length;
    expect(alike).toBe(0);
    for (let n = 0; n < 50_000; n += 999) {
      expect(book.note({ marks: markOf(key, id(n)), at: 0 }, 99_999)).toContain(n);
    }
  });
});

describe("markOperation()", () => {
  test("spreads ids that differ in one bit, and differs from one verification to the next", () => {
    const key = createMarkKey();
    const seen = new Set<string>();
    for (let bit = 0; bit < 256; bit++) {
      const bytes = new Uint8Array(32);
      bytes[bit >> 3] = 1 << (bit & 7);
      seen.add(markOf(key, bytes).join());
    }
    expect(seen.size).toBe(256);
    expect(markOf(createMarkKey(), new Uint8Array(32))).not.toEqual(markOf(key, new Uint8Array(32)));
  });

  // Differences that a mix of 32-bit words, by xor, multiplication and shifts, loses whatever its secret factors are.
  test("cannot be made to fall together by differences that cancel in a mix of words", () => {
    const top = 0x80000000;
    const [even, odd] = [
      [top, 0, top, 1 << 18],
      [0, top, 1 << 16, top | 8],
    ];
    const differences = [0, 2, 4].flatMap((word) => [even, odd].map((words = []) => ({ word, words })));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (base) => {
        const key = createMarkKey();
        const seen = new Set<string>();
        for (let chosen = 0; chosen < 64; chosen++) {
          const view = new DataView(base.slice().buffer);
          for (const [at, { word, words }] of differences.entries()) {
            if ((chosen >> at) % 2 === 0) continue;
            for (const [i, bits] of words.entries()) {
              const place = 4 * (word + i);
              view.setUint32(place, view.getUint32(place) ^ bits);
            }
          }
          seen.add(markOf(key, new Uint8Array(view.buffer)).join());
        }
        expect(seen.size).toBe(64);
      }),
    );
  });
});
