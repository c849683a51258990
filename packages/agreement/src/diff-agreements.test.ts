import { describe, expect, it } from "vitest";
import type { Agreement } from "./agreement-schema.ts";
import { baseAgreement as base } from "./agreements.test-data.ts";
import { diffAgreements, type Effect } from "./diff-agreements.ts";

const limits = base.limits;
const subjects = base.subjects;
if (limits === undefined || subjects === undefined) throw new Error("the base agreement lacks a block");
const { include, exclude } = subjects;
const grant = (category: "pd:Name" | "pd:Salary", duration: string): Agreement["categories"] => [
  { category, retention: { duration } },
];
const key = { id: "k", use: "requests", publicKey: "x" } as const;

type Case = readonly [
  title: string,
  effect: Effect,
  path: string,
  after: Partial<Agreement>,
  before?: Partial<Agreement>,
];
const cases: Case[] = [
  ["a category more", "widens", "categories[3]", { categories: [...base.categories, ...grant("pd:Salary", "P1D")] }],
  ["a category less", "narrows", "categories", { categories: base.categories.slice(1) }],
  [
    "a longer retention",
    "widens",
    "categories[0].retention",
    { categories: grant("pd:Name", "P2D") },
    { categories: grant("pd:Name", "P1D") },
  ],
  [
    "a shorter retention",
    "narrows",
    "categories[0].retention",
    { categories: grant("pd:Name", "P1D") },
    { categories: grant("pd:Name", "P2D") },
  ],
  [
    "the same retention in other units",
    "neutral",
    "categories[0].retention",
    { categories: grant("pd:Name", "PT24H") },
    { categories: grant("pd:Name", "P1D") },
  ],
  [
    "a retention that may be longer by the calendar",
    "widens",
    "categories[0].retention",
    { categories: grant("pd:Name", "P1M") },
    { categories: grant("pd:Name", "P30D") },
  ],
  [
    "a duration in place of the receipt",
    "widens",
    "categories[0].retention",
    { categories: grant("pd:Name", "PT1S") },
    { categories: base.categories.slice(0, 1) },
  ],
  [
    "the receipt in place of a duration",
    "widens",
    "categories[0].retention",
    { categories: base.categories.slice(0, 1) },
    { categories: grant("pd:Name", "P1D") },
  ],
  ["a forbidden category less", "widens", "never", { never: ["pd:Contact"] }],
  ["a forbidden category more", "narrows", "never", { never: [...base.never, "pd:Salary"] }],
  ["a forbidden category beneath another", "neutral", "never", { never: [...base.never, "pd:EmailAddress"] }],
  ["a broader one in place of a forbidden category", "narrows", "never", { never: ["pd:Contact", "pd:Professional"] }],
  [
    "a narrower one in place of a forbidden category",
    "widens",
    "never",
    { never: ["tip:VettingLevel", "pd:EmailAddress"] },
  ],
  [
    "a post sensitivity more",
    "widens",
    "subjects.include.postSensitivity",
    { subjects: { include: { ...include, postSensitivity: ["ordinary", "sensitive", "covert"] }, exclude } },
  ],
  [
    "a post sensitivity less",
    "narrows",
    "subjects.include.postSensitivity",
    { subjects: { include: { ...include, postSensitivity: ["ordinary"] }, exclude } },
  ],
  [
    "a card kind more",
    "widens",
    "subjects.include.cardKinds",
    { subjects: { include: { ...include, cardKinds: ["warrant-card", "staff-pass", "x"] }, exclude } },
  ],
  [
    "a card kind less",
    "narrows",
    "subjects.include.cardKinds",
    { subjects: { include: { ...include, cardKinds: ["warrant-card"] }, exclude } },
  ],
  [
    "people without a card",
    "widens",
    "subjects.include.cardKinds",
    { subjects: { include: { postSensitivity: ["ordinary", "covert"] }, exclude } },
  ],
  [
    "covert posts no longer excluded",
    "widens",
    "subjects.exclude.postSensitivity",
    { subjects: { include, exclude: { ...exclude, postSensitivity: [] } } },
  ],
  [
    "ordinary posts excluded",
    "narrows",
    "subjects.exclude.postSensitivity",
    { subjects: { include, exclude: { ...exclude, postSensitivity: ["covert", "ordinary"] } } },
  ],
  [
    "a card kind no longer excluded",
    "widens",
    "subjects.exclude.cardKinds",
    { subjects: { include, exclude: { ...exclude, cardKinds: [] } } },
  ],
  ["the public in place of the force's people", "widens", "subjects", { subjects: undefined }],
  ["the force's people in place of the public", "widens", "subjects", {}, { subjects: undefined }],
  ["a faster rate", "widens", "limits.rate.perHour", { limits: { ...limits, rate: { perHour: 361, burst: 10 } } }],
  ["a slower rate", "narrows", "limits.rate.perHour", { limits: { ...limits, rate: { perHour: 359, burst: 10 } } }],
  ["a larger burst", "widens", "limits.rate.burst", { limits: { ...limits, rate: { perHour: 360, burst: 11 } } }],
  ["more open on a line", "widens", "limits.openPerLine", { limits: { ...limits, openPerLine: 2 } }],
  ["more lines", "widens", "limits.lines", { limits: { ...limits, lines: 65 } }],
  ["fewer lines", "narrows", "limits.lines", { limits: { ...limits, lines: 63 } }],
  ["more unaccounted", "widens", "limits.unaccounted", { limits: { ...limits, unaccounted: 501 } }],
  ["more attempts", "widens", "limits.attempts", { limits: { ...limits, attempts: 3 } }],
  ["a later receipt", "widens", "limits.receiptWithin", { limits: { ...limits, receiptWithin: "PT3M" } }],
  [
    "an earlier expiry of orders",
    "narrows",
    "limits.orderExpiresAfter",
    { limits: { ...limits, orderExpiresAfter: "P13D" } },
  ],
  ["no limits", "widens", "limits", { limits: undefined }],
  ["limits where none were", "widens", "limits", {}, { limits: undefined }],
  ["a sub-processor", "widens", "subProcessors", { subProcessors: [{ id: "s", name: "S", purpose: "p" }] }],
  [
    "no sub-processor any more",
    "narrows",
    "subProcessors",
    {},
    { subProcessors: [{ id: "s", name: "S", purpose: "p" }] },
  ],
  ["a transfer abroad", "widens", "transfers", { transfers: [{ country: "US", safeguard: "IDTA" }] }],
  ["more time to report a breach", "widens", "breachNoticeWithin", { breachNoticeWithin: "PT72H" }],
  ["less time to report a breach", "narrows", "breachNoticeWithin", { breachNoticeWithin: "PT12H" }],
  [
    "another end of contract",
    "widens",
    "endOfContract.action",
    { endOfContract: { action: "return", within: "P14D" } },
  ],
  ["a later end", "widens", "validity.until", { validity: { ...base.validity, until: "2028-06-01T00:00:00.000Z" } }],
  [
    "an earlier end",
    "narrows",
    "validity.until",
    { validity: { ...base.validity, until: "2026-07-01T00:00:00.000Z" } },
  ],
  ["an earlier start", "widens", "validity.from", { validity: { ...base.validity, from: "2026-05-01T00:00:00.000Z" } }],
  ["a later start", "narrows", "validity.from", { validity: { ...base.validity, from: "2026-07-01T00:00:00.000Z" } }],
  ["another recipient", "widens", "recipient.id", { recipient: { ...base.recipient, id: "other" } }],
  ["another role", "widens", "recipient.role", { recipient: { ...base.recipient, role: "controller" } }],
  ["a key more", "widens", "recipient.keys", { recipient: { ...base.recipient, keys: [key] } }],
  ["a key less", "narrows", "recipient.keys", {}, { recipient: { ...base.recipient, keys: [key] } }],
  ["another purpose", "widens", "purpose", { purpose: "Advertising" }],
  ["another lawful basis", "widens", "lawfulBasis", { lawfulBasis: "none" }],
  ["another version", "neutral", "version", { version: 2 }],
  ["another person to ask", "neutral", "controller.contact", { controller: { ...base.controller, contact: "x" } }],
];

describe("diffAgreements() says what a change does, in words", () => {
  for (const [title, effect, path, after, before] of cases)
    it(`${title}: ${effect}`, () => {
      const diff = diffAgreements({ ...base, ...before }, { ...base, ...after });
      expect(diff.verdict).toBe(effect);
      expect(diff.signaturesNeeded).toBe(effect === "widens" ? 2 : 1);
      const told = diff.changes.filter((change) => change.effect === effect);
      expect(told.map((change) => change.path)).toEqual([path]);
      expect(told[0]?.words).not.toMatch(/undefined|\[object/);
    });

  it.each([
    [{ limits: { ...limits, unaccounted: 999 } }, "cards released and not yet scanned in: 500 becomes 999"],
    [{ version: 2 }, "the version: 1 becomes 2"],
    [{ limits: { ...limits, receiptWithin: "PT3M" } }, "the time for a receipt: 2 minutes becomes 3 minutes"],
    [
      { subjects: { include, exclude: { ...exclude, postSensitivity: [] } } },
      "the posts excluded: covert is taken out",
    ],
    [{ subjects: undefined }, "whom it covers: the public instead of the force's people"],
    [{ transfers: [{ country: "US", safeguard: "IDTA" }] }, "the countries abroad: US, IDTA is added"],
    [
      { recipient: { ...base.recipient, role: "controller" as const } },
      "the recipient's role: processor becomes controller",
    ],
  ])("names the clause that changes in plain English: %#", (after, words) => {
    expect(diffAgreements(base, { ...base, ...after }).changes.map((change) => change.words)).toEqual([words]);
  });

  it("never tells two numbers, durations or dates without saying whose they are", () => {
    const told = cases.flatMap(
      ([, , , after, before]) => diffAgreements({ ...base, ...before }, { ...base, ...after }).changes,
    );
    for (const { words } of told.filter(({ words }) => words.includes(" becomes "))) {
      expect(words).toMatch(/^[a-z][A-Za-z' ]+: .+ becomes .+$/);
    }
  });

  it("finds nothing between an agreement and itself, whatever the order of its lists", () => {
    const turned = { ...base, categories: [...base.categories].reverse(), never: [...base.never].reverse() };
    expect(diffAgreements(base, turned)).toEqual({ changes: [], verdict: "neutral", signaturesNeeded: 1 });
  });

  it("calls a change widening as soon as one part of it is", () => {
    const after: Agreement = { ...base, never: [], categories: base.categories.slice(0, 1) };
    expect(diffAgreements(base, after)).toMatchObject({ verdict: "widens", signaturesNeeded: 2 });
  });
});
