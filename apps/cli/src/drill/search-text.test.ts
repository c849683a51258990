import { describe, expect, it } from "vitest";
import { searchText } from "./search-text.ts";
import { gatherWanted } from "./wanted.ts";

const known = await gatherWanted([
  { surname: "Łukaszewicz", forename: "Bronisława", numbers: ["00412345"] },
  { surname: "Example", forename: "Avery", numbers: ["7712345", "16384", "0125678", "04656"] },
  { surname: "Lee", forename: "Lee", numbers: [] },
]);

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

  it("does not take one word for the forename and the surname of somebody called by it twice", () => {
    expect(search("a Lee of the ship")).toEqual([]);
    expect(search("Lee, Lee")).toEqual([2]);
  });

  it("takes a short name only where forename and surname stand apart from other letters, each or together", () => {
    expect(search('{"forename":"Lee","surname":"Lee"}')).toEqual([2]);
    expect(search("cells\u0000Lee\u0007Lee\u0000")).toEqual([2]);
    expect(search("ConstableLeeLeeNorthtown, Lee_Lee")).toEqual([2]);
    expect(search("7uFkLeeLeeK3x")).toEqual([]);
    expect(search("7uFkAveryExampleK3x")).toEqual([1]);
    expect(search("7uFkLee9-zQpWLeeK3x")).toEqual([]);
    expect(search("7uFkAvery9-zQpWExampleK3x")).toEqual([1]);
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

  it("does not take a list of small numbers, as a database keeps in its pages, for UTF-16 digits of somebody", () => {
    const pages = [0x1e, 0x20, 0x22, 0x2d, 0x30, 0x31, 0x32, 0x35, 0x36, 0x37, 0x38, 0x3b, 0x3c, 0x40, 0x41];
    expect(search(String.fromCharCode(...pages))).toEqual([]);
    expect(search('pay "0125678": yes')).toEqual([1]);
    expect(search("\n 0125678;")).toEqual([1]);
  });

  it("does not find a number inside a longer one, or as a size of our own formats", () => {
    expect(search("177123450")).toEqual([]);
    expect(search('{"offset":7712345}')).toEqual([]);
    expect(search('{"payNumber":7712345}')).toEqual([1]);
  });
});
