import fc from "fast-check";
import { expect, it } from "vitest";
import { type Draft, numberDrafts } from "./number-drafts.ts";

const about = (subject?: string): Draft => ({
  kind: "received",
  reference: "r",
  at: "2026-03-01T09:30:00.000Z",
  ...(subject === undefined ? {} : { subject }),
});

it("numberDrafts() counts on from what stands, per person, in the order given", () => {
  const numbered = numberDrafts(
    [about("a"), about("b"), about("a"), about()],
    new Map([
      ["a", 4],
      ["b", 0],
    ]),
  );
  expect(numbered.ok && numbered.entries.map((entry) => entry.n)).toEqual([5, 1, 6, undefined]);
  expect(numbered.ok && numbered.moves).toEqual([
    { person: "a", from: 4, to: 6 },
    { person: "b", from: 0, to: 1 },
  ]);
});

it("numberDrafts() refuses an entry about somebody without a count", () => {
  expect(numberDrafts([about("a"), about("x")], new Map([["a", 0]]))).toEqual({ ok: false, unknown: "x" });
});

it("numberDrafts() leaves no gap and no number twice for anybody", () => {
  const people = fc.array(fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }), { maxLength: 40 });
  fc.assert(
    fc.property(people, fc.nat(1000), (subjects, start) => {
      const counts = new Map(["a", "b", "c"].map((person) => [person, start]));
      const numbered = numberDrafts(subjects.map(about), counts);
      if (!numbered.ok) throw new Error("refused");
      for (const person of ["a", "b", "c"]) {
        const numbers = numbered.entries.filter((entry) => entry.subject === person).map((entry) => entry.n);
        expect(numbers).toEqual(numbers.map((_, at) => start + at + 1));
      }
    }),
  );
});
