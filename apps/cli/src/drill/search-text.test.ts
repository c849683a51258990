import { describe, expect, it } from "vitest";
import type { Wanted } from "./known-people.ts";
import { searchText } from "./search-text.ts";

const known: Wanted = {
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
