import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createByteSearch } from "./search-bytes.ts";
import { searchText } from "./search-text.ts";
import { gatherWanted } from "./wanted.ts";

const known = await gatherWanted([
  { surname: "Łukaszewicz", forename: "Bronisława", numbers: ["00412345"] },
  { surname: "Example", forename: "Avery", numbers: ["7712345", "16384", "04656"] },
]);

const searchBytes = createByteSearch(known);

describe("createByteSearch()", () => {
  const inside = (bytes: Buffer) => {
    const found = new Set<number>();
    // A random letter right beside a word would make another word of it.
    const edge = Buffer.alloc(1);
    searchBytes(Buffer.concat([randomBytes(5000), edge, bytes, edge, randomBytes(5000)]), found);
    return [...found];
  };

  it("finds people in base64 at every alignment, in hex, and in base64 inside base64", () => {
    const text = "pay 7712345 for Avery Example of somewhere";
    for (const shift of ["", "x", "xx", "xxx"]) {
      expect(inside(Buffer.from(Buffer.from(shift + text).toString("base64")))).toEqual([1]);
    }
    expect(inside(Buffer.from(Buffer.from(text).toString("hex")))).toEqual([1]);
    const twice = Buffer.from(Buffer.from(text).toString("base64")).toString("base64");
    expect(inside(Buffer.from(twice))).toEqual([1]);
  });

  it("finds names that run into each other, or are parted by a few bytes, as cells of a database page", () => {
    expect(inside(Buffer.from("\u0007AveryExample"))).toEqual([1]);
    expect(inside(Buffer.from("Łukaszewicz\u0000\u0000\u0000\u000bBronisława"))).toEqual([0]);
  });

  it("finds a number between binary bytes, and names in UTF-16 at an odd place", () => {
    expect(inside(Buffer.from([0, 1, ...Buffer.from("7712345"), 0, 2]))).toEqual([1]);
    expect(inside(Buffer.concat([Buffer.from([1]), Buffer.from(" Avery Example ", "utf16le")]))).toEqual([1]);
  });

  it("finds nobody in random bytes", () => {
    expect(inside(randomBytes(1 << 20))).toEqual([]);
  });

  it("finds UTF-16 at an odd place before UTF-16 at an even one", () => {
    const odd = Buffer.concat([Buffer.from([0xff]), Buffer.from(" Avery Example ", "utf16le"), Buffer.from([0xff])]);
    const even = Buffer.from("nothing to see here", "utf16le");
    expect(inside(Buffer.concat([odd, randomBytes(201), even]))).toContain(1);
  });

  it("finds whomever reading the whole text finds, wherever the words stand", () => {
    const word = fc.constantFrom(
      ...["Avery", "Example", "Łukaszewicz", "Bronisława", "7712345", "00412345", "16384", "04656", "17", "Examples"],
      ...['"offset":', ".", ",", " ", "\n", "’", "é", "a longer piece of writing, ".repeat(9), "x".repeat(40), "-"],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = `some writing ${words.join("")} and more`;
        const whole = new Set<number>();
        searchText(text, known, whole);
        const found = new Set<number>();
        searchBytes(Buffer.from(text), found);
        expect([...found].sort()).toEqual([...whole].sort());
      }),
      { numRuns: 2000 },
    );
  });
});
