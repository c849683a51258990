import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecretSet, KEY_BYTES } from "./secret-set.ts";

/** Few different ones, so that many come twice. */
const candidate = fc.integer({ min: 0, max: 40 }).map((value) => {
  const bytes = Buffer.alloc(KEY_BYTES);
  bytes.writeUInt32BE(value, value % (KEY_BYTES - 3));
  return bytes;
});

describe("createSecretSet()", () => {
  it("keeps each candidate once, in the order in which they came, and no more than it may", () => {
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 80 }), fc.integer({ min: 1, max: 50 }), (given, most) => {
        const set = createSecretSet(most);
        for (const bytes of given) set.add(bytes);
        const expected = [...new Set(given.map((bytes) => bytes.toString("hex")))].slice(0, most);
        expect([...set].map((bytes) => bytes.toString("hex"))).toEqual(expected);
        expect(set.first(3).map((bytes) => bytes.toString("hex"))).toEqual(expected.slice(0, 3));
        expect({ size: set.size, isFull: set.isFull() }).toEqual({
          size: expected.length,
          isFull: expected.length === most,
        });
      }),
    );
  });

  it("keeps a copy: the bytes may be overwritten afterwards", () => {
    const set = createSecretSet(2);
    const bytes = Buffer.alloc(KEY_BYTES, 1);
    set.add(bytes);
    bytes.fill(2);
    set.add(bytes);
    expect([...set]).toEqual([Buffer.alloc(KEY_BYTES, 1), Buffer.alloc(KEY_BYTES, 2)]);
  });
});
