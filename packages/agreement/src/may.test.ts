import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Agreement, PostSensitivity } from "./agreement-schema.ts";
import { agreementArbitrary, baseAgreement, questionArbitrary } from "./agreements.test-data.ts";
import { type CategoryId, categories, isUnder } from "./categories.ts";
import { diffAgreements } from "./diff-agreements.ts";
import { type MayRefusal, may, type Subject } from "./may.ts";

const FROM = Date.parse(baseAgreement.validity.from);
const UNTIL = Date.parse(baseAgreement.validity.until);

type Row<Value> = readonly [value: Value, refusal: MayRefusal | undefined];

const recipients: Row<string>[] = [
  ["cardmaker", undefined],
  ["somebody", "other-recipient"],
];
const instants: Row<Date>[] = [
  [new Date(FROM - 1), "not-yet-in-force"],
  [new Date(FROM), undefined],
  [new Date(UNTIL - 1), undefined],
  [new Date(UNTIL), "no-longer-in-force"],
  [new Date(Number.NaN), "not-yet-in-force"],
];
const asked: Row<CategoryId>[] = [
  ["pd:Name", undefined],
  ["tip:VettingLevel", "forbidden"],
  ["tip:HomeAddress", "forbidden"],
  ["tip:MobileNumber", "forbidden"],
  ["pd:Salary", "not-granted"],
  ["tip:Rank", "not-granted"],
  ["pd:Professional", "not-granted"],
];

const staff = (postSensitivity: PostSensitivity, cardKind: string | null): Subject => ({ postSensitivity, cardKind });
const subjectCases: { subjects: Agreement["subjects"]; rows: Row<Subject>[] }[] = [
  {
    subjects: baseAgreement.subjects,
    rows: [
      ["unknown", undefined],
      ["public", "subject-not-covered"],
      [staff("ordinary", "warrant-card"), undefined],
      [staff("sensitive", "warrant-card"), "subject-not-covered"],
      [staff("covert", "warrant-card"), "subject-excluded"],
      [staff("ordinary", "staff-pass"), "subject-excluded"],
      [staff("ordinary", "library-card"), "subject-not-covered"],
      [staff("ordinary", null), "subject-not-covered"],
      [staff("covert", null), "subject-excluded"],
    ],
  },
  {
    subjects: { include: { postSensitivity: ["ordinary"] }, exclude: { postSensitivity: [], cardKinds: [] } },
    rows: [
      [staff("ordinary", null), undefined],
      [staff("ordinary", "warrant-card"), "subject-not-covered"],
      [staff("covert", null), "subject-not-covered"],
    ],
  },
  {
    subjects: undefined,
    rows: [
      ["public", undefined],
      ["unknown", undefined],
      [staff("ordinary", null), "subject-not-covered"],
      [staff("ordinary", "warrant-card"), "subject-not-covered"],
    ],
  },
];

describe("may() by the whole decision table", () => {
  it("allows exactly where no clause refuses, and names the first that does: recipient, validity, never, subject, grant", () => {
    let rows = 0;
    for (const { subjects, rows: subjectRows } of subjectCases)
      for (const [recipient, byRecipient] of recipients)
        for (const [at, byInstant] of instants)
          for (const [category, byCategory] of asked)
            for (const [subject, bySubject] of subjectRows) {
              const answer = may({ agreement: { ...baseAgreement, subjects }, recipient, category, subject, at });
              const forbidden = byCategory === "forbidden" ? byCategory : undefined;
              const expected = byRecipient ?? byInstant ?? forbidden ?? bySubject ?? byCategory;
              expect(answer.ok ? undefined : answer.reason).toBe(expected);
              rows++;
            }
    expect(rows).toBe(16 * 2 * 5 * 7);
  });
});

describe("may() for any agreement", () => {
  it("never allows a category that the file does not name", () => {
    fc.assert(
      fc.property(agreementArbitrary, questionArbitrary, (agreement, question) => {
        const named = new Set(agreement.categories.map((grant) => grant.category));
        if (may({ agreement, ...question }).ok) expect(named.has(question.category)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it("never allows anything beneath a forbidden category, granted or not", () => {
    fc.assert(
      fc.property(agreementArbitrary, questionArbitrary, fc.nat(), (agreement, question, pick) => {
        const granted = agreement.categories.map((grant) => grant.category);
        const category = granted[pick % granted.length] ?? question.category;
        const answer = may({ agreement, ...question, category });
        if (agreement.never.some((forbidden) => isUnder(category, forbidden))) expect(answer.ok).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it("never allows an excluded subject, whatever is included", () => {
    fc.assert(
      fc.property(agreementArbitrary, questionArbitrary, (agreement, question) => {
        const { subject } = question;
        if (typeof subject === "string" || agreement.subjects === undefined) return;
        const { postSensitivity, cardKinds } = agreement.subjects.exclude;
        const excluded =
          postSensitivity.includes(subject.postSensitivity) ||
          (subject.cardKind !== null && cardKinds.includes(subject.cardKind));
        if (excluded) expect(may({ agreement, ...question }).ok).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it("allows nothing new after a change that diffAgreements() does not call widening", () => {
    fc.assert(
      fc.property(agreementArbitrary, agreementArbitrary, questionArbitrary, (before, other, question) => {
        const narrower = {
          ...before,
          categories: before.categories.slice(1),
          never: [...before.never, ...other.never],
        };
        expect(diffAgreements(before, narrower).verdict).toBe("narrows");
        for (const next of [narrower, { ...before, never: other.never }, { ...before, subjects: other.subjects }]) {
          if (diffAgreements(before, next).verdict === "widens") continue;
          for (const { id: category } of categories)
            if (may({ agreement: next, ...question, category }).ok)
              expect(may({ agreement: before, ...question, category }).ok).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
