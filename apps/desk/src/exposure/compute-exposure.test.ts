import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeExposure, type Disclosure, GRADES } from "./compute-exposure.ts";

const HOUR = 3_600_000;
const none = { neverReleased: 0, unproven: 0 };
const window = { fromMs: 10 * HOUR, toMs: 20 * HOUR };
const one: Disclosure = {
  pseudonym: "p1",
  job: "j1",
  categories: ["pd:Name"],
  rank: "Constable",
  postSensitivity: "ordinary",
  releasedAtMs: 12 * HOUR,
  receiptAtMs: 13 * HOUR,
  scannedAtMs: 15 * HOUR,
};
const compute = (...disclosures: Partial<Disclosure>[]) =>
  computeExposure(
    disclosures.map((more, at) => ({ ...one, job: `j${at}`, ...more })),
    window,
    none,
  );

it("digital exposure runs from release to receipt, physical until the card is scanned in", () => {
  expect(compute({})).toMatchObject({
    people: 1,
    personHoursInClear: 3,
    personHours: { digital: { trusted: 1, untrusted: 8 }, physical: { trusted: 3, untrusted: 3 } },
  });
});

it("both are clipped to the window", () => {
  expect(compute({ releasedAtMs: 5 * HOUR, receiptAtMs: 11 * HOUR, scannedAtMs: null })).toMatchObject({
    personHours: { digital: { trusted: 1, untrusted: 10 }, physical: { trusted: 10, untrusted: 10 } },
  });
});

describe("a person's grade", () => {
  const gradeOf = (more: Partial<Disclosure>) => compute(more).rows[0]?.grade;
  it.each<[string, Partial<Disclosure>, string | undefined]>([
    ["released in the window", {}, GRADES.inClear],
    ["never answered", { releasedAtMs: 0, receiptAtMs: null }, GRADES.inClear],
    ["answered in the window", { releasedAtMs: 0, receiptAtMs: 11 * HOUR }, GRADES.inClear],
    ["answered at its first instant", { releasedAtMs: 0, receiptAtMs: 10 * HOUR }, GRADES.destroyed],
    ["answered after its first instant", { releasedAtMs: 0, receiptAtMs: 10 * HOUR + 1 }, GRADES.inClear],
    ["answered before", { releasedAtMs: 0, receiptAtMs: HOUR }, GRADES.destroyed],
    ["released at its end", { releasedAtMs: 20 * HOUR, receiptAtMs: null }, undefined],
    ["released a moment before its end", { releasedAtMs: 20 * HOUR - 1, receiptAtMs: null }, GRADES.inClear],
  ])("%s", (_name, more, grade) => expect(gradeOf(more)).toBe(grade));

  it("is the worst of all that was released about the person", () => {
    expect(compute({ releasedAtMs: 0, receiptAtMs: HOUR }, {}).grades).toMatchObject({ [GRADES.inClear]: 1 });
  });
});

it("a person who was in clear twice at once counts once", () => {
  const both = compute({}, { releasedAtMs: 12.5 * HOUR, receiptAtMs: 14 * HOUR });
  expect(both).toMatchObject({ people: 1, personHours: { digital: { trusted: 2, untrusted: 8 } } });
});

it("totals count people, not cards, in both readings", () => {
  const old = { releasedAtMs: 0, receiptAtMs: HOUR };
  const { byCategory, byRank, byPostSensitivity, readings } = compute(
    {},
    { categories: ["pd:Picture"] },
    { ...old, pseudonym: "p2", rank: "Sergeant", postSensitivity: "sensitive" },
  );
  expect(byCategory).toEqual({
    "pd:Name": { trusted: 1, untrusted: 2 },
    "pd:Picture": { trusted: 1, untrusted: 1 },
  });
  expect(byRank).toEqual({ Constable: { trusted: 1, untrusted: 1 }, Sergeant: { trusted: 0, untrusted: 1 } });
  expect(byPostSensitivity).toEqual({
    ordinary: { trusted: 1, untrusted: 1 },
    sensitive: { trusted: 0, untrusted: 1 },
  });
  expect(readings).toEqual({ people: { trusted: 1, untrusted: 2 } });
});

const instants = fc.integer({ min: 0, max: 40 }).map((hour) => hour * HOUR);
const disclosure = fc
  .record({
    pseudonym: fc.constantFrom("a", "b", "c"),
    job: fc.uuid(),
    releasedAtMs: instants,
    receipt: fc.option(fc.nat(20)),
    scan: fc.option(fc.nat(20)),
  })
  .map(({ receipt, scan, ...rest }): Disclosure => {
    const receiptAtMs = receipt === null ? null : rest.releasedAtMs + receipt * HOUR;
    return { ...one, ...rest, receiptAtMs, scannedAtMs: scan === null ? null : rest.releasedAtMs + scan * HOUR };
  });

it("trusting receipts never makes an exposure larger, and nothing passes the window's hours for anybody", () => {
  fc.assert(
    fc.property(fc.array(disclosure), (disclosures) => {
      const { personHours, people, readings, rows, personHoursInClear } = computeExposure(disclosures, window, none);
      expect(personHours.digital.trusted).toBeLessThanOrEqual(personHours.digital.untrusted);
      expect(readings.people.trusted).toBeLessThanOrEqual(people);
      for (const row of rows) {
        expect(row.digitalHours.untrusted).toBeLessThanOrEqual(10);
        expect(row.physicalHours.untrusted).toBeLessThanOrEqual(10);
      }
      expect(personHoursInClear).toBeGreaterThanOrEqual(personHours.digital.trusted);
      expect(personHoursInClear).toBeGreaterThanOrEqual(personHours.physical.trusted);
    }),
  );
});

it("two windows side by side have together the hours of the one that spans them", () => {
  fc.assert(
    fc.property(fc.array(disclosure), fc.integer({ min: 11, max: 19 }), (disclosures, cut) => {
      const hours = (fromMs: number, toMs: number) =>
        computeExposure(disclosures, { fromMs, toMs }, none).personHours.digital.trusted;
      const [whole, first, second] = [
        hours(10 * HOUR, 20 * HOUR),
        hours(10 * HOUR, cut * HOUR),
        hours(cut * HOUR, 20 * HOUR),
      ];
      expect(first + second).toBeCloseTo(whole, 6);
    }),
  );
});

it("hours equal a count hour by hour", () => {
  fc.assert(
    fc.property(fc.array(disclosure, { maxLength: 12 }), (disclosures) => {
      let counted = 0;
      for (const person of new Set(disclosures.map(({ pseudonym }) => pseudonym))) {
        for (let hour = 10; hour < 20; hour += 1) {
          const isOpen = disclosures.some(
            ({ pseudonym, releasedAtMs, receiptAtMs }) =>
              pseudonym === person &&
              releasedAtMs <= hour * HOUR &&
              (receiptAtMs ?? Number.POSITIVE_INFINITY) > hour * HOUR,
          );
          if (isOpen) counted += 1;
        }
      }
      expect(computeExposure(disclosures, window, none).personHours.digital.trusted).toBeCloseTo(counted, 6);
    }),
  );
});
