import { expect, it } from "vitest";
import { GRADES } from "./compute-exposure.ts";
import { toExposureCsv } from "./exposure-csv.ts";

const row = {
  pseudonym: "ab12",
  grade: GRADES.inClear,
  rank: "Constable",
  postSensitivity: "ordinary",
  categories: ["pd:Name", "pd:Picture"],
  firstReleasedAtMs: 0,
  digitalHours: { trusted: 1, untrusted: 2 },
  physicalHours: { trusted: 3, untrusted: 3 },
  hoursInClear: 3,
};

it("toExposureCsv() writes one line a person", () => {
  expect(toExposureCsv([row]).split("\r\n")[1]).toBe(
    "ab12,in clear in that window,Constable,ordinary,pd:Name pd:Picture,1970-01-01T00:00:00.000Z,1.0000,2.0000,3.0000",
  );
});

it("toExposureCsv() writes one line for each entry that nobody can open, under no pseudonym", () => {
  const shut = [
    { index: 7, released: true, at: new Date(0) },
    { index: 9, released: false, at: null },
  ];
  expect(toExposureCsv([row], [], shut).split("\r\n").slice(2)).toEqual([
    'entry 7,"possible exposure, unopenable",,,,1970-01-01T00:00:00.000Z,,,',
    'entry 9,"possible exposure, unopenable",,,,,,,',
    "",
  ]);
});

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])("toExposureCsv() makes no formula of %j", (rank) => {
  expect(toExposureCsv([{ ...row, rank }])).toContain(`'${rank}`);
});

it("toExposureCsv() quotes what would break a line", () => {
  expect(toExposureCsv([{ ...row, rank: 'a "b",\nc' }])).toContain('"a ""b"",\nc"');
});
