import fc from "fast-check";
import { expect, it } from "vitest";
import { computeDeclared, type DeclaredDisclosure } from "./compute-declared.ts";
import { GRADES } from "./compute-exposure.ts";

const HOUR = 3_600_000;
const window = { fromMs: 10 * HOUR, toMs: 20 * HOUR };
const one: DeclaredDisclosure = {
  ...{ pseudonym: "p1", categories: ["pd:Name"], rank: "Constable", postSensitivity: "covert" },
  ...{ fromMs: 0, toMs: 12 * HOUR },
};
const compute = (...some: Partial<DeclaredDisclosure>[]) =>
  computeDeclared(
    some.map((more) => ({ ...one, ...more })),
    window,
    new Set(["p9"]),
  );

it("a declared end is the recipient's word: believed in one reading, and no end at all in the other", () => {
  expect(compute({})).toMatchObject({
    people: { trusted: 1, untrusted: 1 },
    personHours: { trusted: 2, untrusted: 10 },
    byPostSensitivity: { covert: { trusted: 1, untrusted: 1 } },
  });
  expect(compute({ toMs: 5 * HOUR })).toMatchObject({
    people: { trusted: 0, untrusted: 1 },
    personHours: { trusted: 0, untrusted: 10 },
  });
});

it("what was disclosed after the window does not stand in it, and what has not ended stands to its end", () => {
  expect(compute({ fromMs: 20 * HOUR, toMs: null }).people).toEqual({ trusted: 0, untrusted: 0 });
  expect(compute({ fromMs: 15 * HOUR, toMs: null }).personHours).toEqual({ trusted: 5, untrusted: 5 });
});

it("a person who was declared twice counts once, with all categories", () => {
  const told = compute({}, { categories: ["pd:Picture"], fromMs: 11 * HOUR });
  expect(told.people).toEqual({ trusted: 1, untrusted: 1 });
  expect(told.personHours.trusted).toBe(2);
  expect(told.rows[0]?.categories).toEqual(["pd:Name", "pd:Picture"]);
});

it("says how many of those declared stand under a proven grade too, and gives nobody another grade than unproven", () => {
  const told = compute({}, { pseudonym: "p9" });
  expect(told).toMatchObject({ people: { untrusted: 2 }, alsoProven: 1 });
  expect(new Set(told.rows.map(({ grade }) => grade))).toEqual(new Set([GRADES.unproven]));
});

it("believing the declared ends never makes it larger", () => {
  const some = fc.array(
    fc.record({
      pseudonym: fc.constantFrom("a", "b"),
      fromMs: fc.integer({ min: 0, max: 30 }).map((hour) => hour * HOUR),
      toMs: fc.option(fc.integer({ min: 0, max: 40 }).map((hour) => hour * HOUR)),
    }),
  );
  fc.assert(
    fc.property(some, (declared) => {
      const { people, personHours } = compute(...declared);
      expect(people.trusted).toBeLessThanOrEqual(people.untrusted);
      expect(personHours.trusted).toBeLessThanOrEqual(personHours.untrusted);
      expect(personHours.untrusted).toBeLessThanOrEqual(20);
    }),
  );
});
