import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { KnownPeople } from "./known-people.ts";
import { searchBytes, searchText } from "./search-text.ts";

const known: KnownPeople = {
  count: 2,
  names: new Map([
    ["Łukaszewicz", new Map([["Bronisława", [0]]])],
    ["Example", new Map([["Avery", [1]]])],
  ]),
  numbers: new Map([
    ["00412345", 0],
    ["7712345", 1],
    ["16384", 1],
    ["04656", 1],
  ]),
  dictionary: [],
  portraits: [],
};

function search(text: string): number[] {
  const found = new Set<number>();
  searchText(text, known, found);
  return [...found].sort();
}

describe("searchText()", () => {
  it("finds a forename near its surname in either order", () => {
    expect(search("Avery Example")).toEqual([1]);
    expect(search('"surname":"Łukaszewicz","forenames":"Bronisława"')).toEqual([0]);
  });

  it("does not take a surname alone, or a forename far away, for a person", () => {
    expect(search("An Example of nothing")).toEqual([]);
    expect(search(`Example${" ".repeat(60)}Avery`)).toEqual([]);
  });

  it("finds a number that stands alone, and keeps its leading zeros", () => {
    expect(search("card of 00412345.")).toEqual([0]);
    expect(search("card of 412345.")).toEqual([]);
  });

  it("takes a short number for somebody's only beside another one of the same person", () => {
    expect(search("relation 16384 of base")).toEqual([]);
    expect(search("collar 04656, warrant 16384")).toEqual([1]);
    expect(search(`04656${" ".repeat(400)}16384`)).toEqual([]);
  });

  it("does not find a number inside a longer one, or as a size of our own formats", () => {
    expect(search("177123450")).toEqual([]);
    expect(search('{"offset":7712345}')).toEqual([]);
    expect(search('{"payNumber":7712345}')).toEqual([1]);
  });
});

describe("searchBytes()", () => {
  const inside = (bytes: Buffer) => {
    const found = new Set<number>();
    // A random letter right beside a word would make another word of it.
    const edge = Buffer.alloc(1);
    searchBytes(Buffer.concat([randomBytes(5000), edge, bytes, edge, randomBytes(5000)]), known, found);
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
});
