import fc from "fast-check";
import { expect, test } from "vitest";
import { createOperationBook } from "./operation-book.ts";

test("createOperationBook() finds the first entry of every id that comes again, and no other", () => {
  const id = fc.tuple(fc.nat(300), fc.constantFrom(0, 1 << 30)).map(([low, high]) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, high);
    new DataView(bytes.buffer).setUint32(4, low * 4096);
    return bytes;
  });
  fc.assert(
    fc.property(fc.array(id, { maxLength: 400 }), (ids) => {
      const book = createOperationBook();
      const seen = new Map<string, number>();
      for (const [index, bytes] of ids.entries()) {
        expect(book.note(bytes, index)).toBe(seen.get(bytes.join()));
        if (!seen.has(bytes.join())) seen.set(bytes.join(), index);
      }
    }),
  );
});

test("createOperationBook() keeps what it saw while it grows", () => {
  const book = createOperationBook();
  const id = (n: number) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setBigUint64(0, (BigInt(n) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn);
    return bytes;
  };
  for (let n = 0; n < 50_000; n += 1) expect(book.note(id(n), n)).toBeUndefined();
  for (let n = 0; n < 50_000; n += 999) expect(book.note(id(n), 99_999)).toBe(n);
});
