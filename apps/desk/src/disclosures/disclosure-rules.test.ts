import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DisclosureTerms, digestTerms, readNumbers, refuseTerms } from "./disclosure-rules.ts";

const now = new Date("2026-03-01T00:00:00Z");
const day = (text: string) => new Date(`${text}T00:00:00Z`);
const terms = (more: Partial<DisclosureTerms> = {}): DisclosureTerms => ({
  ...{ recipient: "old-maker", from: day("2019-01-01"), to: day("2025-12-31"), categories: ["pd:Name"] },
  ...more,
});

describe("refuseTerms()", () => {
  it.each<[string, Partial<DisclosureTerms>, string]>([
    ["begins now", { from: now, to: null }, "in-the-future"],
    ["begins tomorrow", { from: day("2026-03-02"), to: null }, "in-the-future"],
    ["ends tomorrow", { to: day("2026-03-02") }, "in-the-future"],
    ["ends when it begins", { to: day("2019-01-01") }, "empty-time"],
    ["ends before it begins", { to: day("2018-01-01") }, "empty-time"],
  ])("refuses a disclosure that %s", (_name, more, reason) => expect(refuseTerms(terms(more), now)).toBe(reason));

  it("allows one in the past, ended or not", () => {
    expect(refuseTerms(terms(), now)).toBeUndefined();
    expect(refuseTerms(terms({ to: null }), now)).toBeUndefined();
  });
});

it("digestTerms() tells any two disclosures apart that differ in recipient, time or categories", () => {
  const all = [
    terms(),
    terms({ recipient: "other" }),
    terms({ from: day("2019-01-02") }),
    terms({ to: null }),
    terms({ categories: ["pd:Name", "pd:Picture"] }),
  ];
  expect(new Set(all.map(digestTerms)).size).toBe(all.length);
  expect(digestTerms(terms())).toBe(digestTerms(terms()));
});

describe("readNumbers()", () => {
  it("passes over a header and empty lines, and keeps every line's own number", () => {
    expect(readNumbers(["Warrant No", "", " 00 17", "w9"])).toEqual([
      { line: 3, number: "0017" },
      { line: 4, number: "W9" },
    ]);
  });
  it("takes a word for a header in the first line alone", () => {
    expect(readNumbers(["12", "Surname"])).toEqual([
      { line: 1, number: "12" },
      { line: 2, number: "SURNAME" },
    ]);
  });
  it("names each line at most once, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 8 })), (lines) => {
        const found = readNumbers(lines).map(({ line }) => line);
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
        expect(found.every((line) => line >= 1 && line <= lines.length)).toBe(true);
      }),
    );
  });
});
