import { describe, expect, it } from "vitest";
import { explainDuration, parseDuration, parseExactSeconds } from "./iso-duration.ts";

describe("parseDuration()", () => {
  it.each([
    ["PT2M", 120, 120],
    ["P14D", 1_209_600, 1_209_600],
    ["P1W", 604_800, 604_800],
    ["P1DT1S", 86_401, 86_401],
    ["P1M", 28 * 86_400, 31 * 86_400],
    ["P7Y", 7 * 365 * 86_400, 7 * 366 * 86_400],
  ])("reads %s", (text, shortestSeconds, longestSeconds) => {
    expect(parseDuration(text)).toEqual({ shortestSeconds, longestSeconds });
  });

  it.each([
    "",
    "P",
    "PT",
    "P1DT",
    "PT0S",
    "P0D",
    "1D",
    "P-1D",
    "P1.5D",
    "P1H",
    "PT1D",
    "p1d",
    "P1D ",
    "P1D\n",
    "P1S",
    "PT1H1H",
    "P99999Y",
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("parseExactSeconds()", () => {
  it("refuses years and months, whose length the calendar decides", () => {
    expect([parseExactSeconds("P1M"), parseExactSeconds("P1Y"), parseExactSeconds("P1D")]).toEqual([
      undefined,
      undefined,
      86_400,
    ]);
  });
});

describe("explainDuration()", () => {
  it("counts in words", () => {
    expect([explainDuration("P1Y2M"), explainDuration("PT1H30S"), explainDuration("x")]).toEqual([
      "1 year 2 months",
      "1 hour 30 seconds",
      "x",
    ]);
  });
});
