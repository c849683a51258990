import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonSample } from "./json-sample.ts";

function sampleOf(text: string, { most, pieceBytes }: { most: number; pieceBytes: number }): unknown {
  const sample = createJsonSample(most);
  const bytes = Buffer.from(text);
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const length = bytes.copy(piece, 0, at);
    sample.add(piece.subarray(0, length));
  }
  return sample.value();
}

describe("createJsonSample()", () => {
  it("cuts the lists right inside the object and nothing else, wherever the text comes in two", () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('["', "]}", "\\", ',"', "ż,"));
    const inner = fc.oneof(text, fc.integer(), fc.array(text), fc.dictionary(text, fc.array(text)));
    const member = fc.oneof(inner, fc.array(inner, { maxLength: 6 }));
    const size = { most: fc.integer({ min: 1, max: 4 }), pieceBytes: fc.integer({ min: 1, max: 40 }) };
    fc.assert(
      fc.property(fc.dictionary(text, member), fc.record(size), (given, { most, pieceBytes }) => {
        const expected = Object.entries(given).map(([key, value]) => [
          key,
          Array.isArray(value) ? value.slice(0, most) : value,
        ]);
        const padded = `${JSON.stringify(given)}${" ".repeat(20)}`;
        expect(sampleOf(padded, { most, pieceBytes })).toEqual(
          JSON.parse(JSON.stringify(Object.fromEntries(expected))),
        );
      }),
    );
  });

  it("refuses what was cut off or is not JSON", () => {
    for (const text of ['{"jobs":[1,2,3', '{"jobs":[1,2,3]', "not JSON", ""]) {
      expect(() => sampleOf(text, { most: 2, pieceBytes: 5 })).toThrow(SyntaxError);
    }
  });
});
