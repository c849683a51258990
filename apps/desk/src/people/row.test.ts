import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDate } from "./cell-rules.ts";
import { mapColumns } from "./mapping.ts";
import { createRowChecker } from "./row.ts";

const HEADERS = [
  "Pay No",
  "Warrant No",
  "Surname",
  "Forenames",
  "Rank",
  "Post Sensitivity",
  "Officer/Staff",
  "Contract End",
];
const check = createRowChecker(mapColumns(HEADERS), HEADERS.length);
const GOOD = ["00123", "W1", "Smythe", "Ann", "Constable", "ordinary", "Officer", ""];
const withCell = (column: number, cell: string) => check(7, GOOD.with(column, cell));

describe("a row", () => {
  test("keeps leading zeros, and drops spaces in numbers", () => {
    expect(withCell(0, " 00 12 3 ")).toMatchObject({ ok: true, details: { payNumber: "00123" } });
  });
  test("is the same person however the letters are composed and spaced", () => {
    expect(withCell(2, "Zoe\u0308  Bell")).toEqual(withCell(2, "Zo\u00EB Bell"));
  });
  test.each([
    [0, "", "missing"],
    [2, "  ", "missing"],
    [3, "", "missing"],
    [4, "", "missing"],
    [5, "", "missing"],
    [1, "", "missing"],
    [5, "secret", "not-a-post-sensitivity"],
    [6, "robot", "not-officer-or-staff"],
    [0, "SEE FILE!", "not-a-number-of-ours"],
    [0, "=1+1", "not-a-number-of-ours"],
    [2, "a\u0007b", "control-character"],
    [2, "a\u202Eb", "control-character"],
    [2, "a\uFFFDb", "control-character"],
    [2, "#N/A", "formula-error"],
    [2, "x".repeat(101), "too-long"],
    [7, "31/02/2028", "not-a-date"],
    [7, "12/31/2028", "not-a-date"],
  ])("is refused for column %i holding %j: %s", (column, cell, reason) => {
    expect(withCell(column, cell)).toMatchObject({ ok: false, faults: [{ line: 7, column: HEADERS[column], reason }] });
  });
  test("tells all of its faults together", () => {
    const answer = check(7, ["", "", "", "", "", "", "", ""]);
    expect(answer.ok ? [] : answer.faults.map(({ column }) => column)).toEqual([
      "Pay No",
      "Surname",
      "Forenames",
      "Rank",
      "Post Sensitivity",
    ]);
  });
  test("needs no warrant number for staff", () => {
    expect(check(7, GOOD.with(1, "").with(6, "Staff").with(4, "Analyst"))).toMatchObject({ ok: true });
  });
  test.each(["PC", "Det Sergeant", "T/Inspector", "Chief Superintendent", "Special Constable"])(
    "of the rank %s is an officer's where nothing else says so",
    (rank) => {
      expect(check(7, GOOD.with(6, "").with(1, "").with(4, rank))).toMatchObject({ faults: [{ reason: "missing" }] });
    },
  );
  test.each([
    [GOOD.slice(1), "too-few-cells"],
    [[...GOOD, "x"], "too-many-cells"],
  ])("of another width is refused (%#)", (cells, reason) => {
    expect(check(7, cells)).toMatchObject({ ok: false, faults: [{ line: 7, reason }] });
  });
  test("never has its values in its faults", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 3 }).map((text) => `Ω${text}`),
          { minLength: 8, maxLength: 8 },
        ),
        (cells) => {
          const answer = check(7, cells);
          expect(answer.ok).toBe(false);
          expect(JSON.stringify(answer)).not.toContain("Ω");
        },
      ),
    );
  });
});

describe("parseDate()", () => {
  test("reads ISO and dd/mm/yyyy as the same day, and nothing that is no day", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1900-01-01"), max: new Date("2200-01-01"), noInvalidDate: true }),
        (date) => {
          const iso = date.toISOString().slice(0, 10);
          const [year, month, day] = iso.split("-");
          expect(parseDate(iso)).toBe(iso);
          expect(parseDate(`${day}/${month}/${year}`)).toBe(iso);
        },
      ),
    );
  });
  test.each(["2023-02-29", "1/1/24", "01-02-2024", "2024/01/02", "tomorrow", ""])("refuses %j", (text) => {
    expect(parseDate(text)).toBeUndefined();
  });
});
