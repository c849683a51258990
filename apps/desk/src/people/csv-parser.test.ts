import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CsvParser, type Delimiter, sniffDelimiter } from "./csv-parser.ts";
import { ImportError } from "./import-error.ts";
import { MAX_CELL_LENGTH } from "./table.ts";

const parse = (text: string, delimiter: Delimiter = ",", cuts: readonly number[] = []) => {
  const parser = new CsvParser(delimiter);
  const places = [0, ...[...cuts].map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  const rows = places.slice(1).flatMap((end, index) => parser.push(text.slice(places[index], end)));
  return [...rows, ...parser.end()];
};
const cellsOf = (text: string) => parse(text).map((row) => row.cells);

describe("CsvParser", () => {
  test.each([
    [
      "a,b\r\nc,d\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "a,b\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "a,b\rc,d\r",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ['"a ""x""",\n', [['a "x"', ""]]],
    ['O"Neill,b\n', [['O"Neill', "b"]]],
    ['"a" ,b\n', [["a", "b"]]],
    ['""\n', [[""]]],
    ["a,", [["a", ""]]],
  ])("reads %j", (text, cells) => {
    expect(cellsOf(text)).toEqual(cells);
  });

  test.each(["\n", "\r\n", "\r"])("counts lines also inside quotes (%j), wherever the pieces are cut", (end) => {
    const text = ["h,i", `"a${end}${end}b",1`, "c,2", `"x${end}",3`, "d,4"].join(end);
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(parse(text, ",", [cut]).map((row) => row.line)).toEqual([1, 2, 5, 6, 8]);
    }
  });

  test("reads back whatever is written in any dialect, cut anywhere", () => {
    const cell = fc.string({
      unit: fc.constantFrom("a", "é", '"', ",", ";", "\t", "\r", "\n", " ", "0"),
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom<Delimiter>(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(500), { maxLength: 5 }),
        (rows, delimiter, end, cuts) => {
          const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
          const text = rows.map((row) => row.map(quote).join(delimiter) + end).join("");
          expect(parse(text, delimiter, cuts).map((row) => row.cells)).toEqual(rows);
        },
      ),
    );
  });

  test("refuses an open quote with the line where it opens", () => {
    expect(() => parse('a,b\nc,"d\n\n')).toThrow(/line 2: a quote is opened/);
  });
  test("refuses text after a closing quote", () => {
    expect(() => parse('a\n"b"c\n')).toThrow(/line 2: text follows/);
  });
  test("refuses a cell without end before it fills the memory", () => {
    expect(() => parse(`"${"x".repeat(MAX_CELL_LENGTH + 1)}`)).toThrow(ImportError);
  });
  test("never tells what a refused line holds", () => {
    expect(() => parse('"Smythe"Ω,1\n')).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/Smythe|Ω/) }),
    );
  });
});

describe("sniffDelimiter()", () => {
  test.each([
    ["a;b;c\n1,2;3;4", ";"],
    ['"a,b,c"\tb\n', "\t"],
    ["a,b;c,d\n", ","],
    ["\n\na;b\n", ";"],
    ["alone\n", ","],
  ] as const)("of %j is %j", (text, delimiter) => {
    expect(sniffDelimiter(text)).toBe(delimiter);
  });
});
