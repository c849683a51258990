import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAgreement } from "@tipstaff/agreement";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CARD_KINDS, isCardKind } from "../cards/card-kinds.ts";
import type { PersonDetails } from "../people/person-details.ts";
import { decideOrderItem, shuffle, tellNotIncluded, toFace } from "./order-rules.ts";

const file = fileURLToPath(new URL("../../../../examples/agreements/card-contractor.yaml", import.meta.url));
const parsed = parseAgreement(readFileSync(file), { fileName: "card-contractor.yaml" });
if (!parsed.ok) throw new Error("the example agreement cannot be read");
const { agreement } = parsed;
const at = new Date("2027-03-01T12:00:00Z");
const kinds = Object.keys(CARD_KINDS).filter(isCardKind);

const details = (over: Partial<PersonDetails> = {}): PersonDetails => ({
  payNumber: "001",
  warrantNumber: "4711",
  collarNumber: "",
  title: "",
  forenames: "Ada",
  surname: "Example",
  knownAs: "",
  rank: "Constable",
  unit: "",
  postSensitivity: "ordinary",
  role: "officer",
  employedUntil: "",
  ...over,
});
type Question = Parameters<typeof decideOrderItem>[0];
const decide = (over: Partial<Question> = {}, person: Partial<PersonDetails> = {}) =>
  decideOrderItem({
    ...{ agreement, recipient: "cardmaker", kind: "warrant-card", at },
    person: { present: true, details: details(person), hasPortrait: true },
    ...over,
  });

describe("decideOrderItem()", () => {
  it("refuses a covert post, whatever the request said", () => {
    expect(decide({}, { postSensitivity: "covert" })).toEqual({ ok: false, reason: "covert" });
  });
  it("refuses a covert post even under an agreement that would allow it", () => {
    const open = {
      ...agreement,
      subjects: {
        include: { postSensitivity: ["ordinary" as const, "sensitive" as const, "covert" as const], cardKinds: kinds },
        exclude: { postSensitivity: [], cardKinds: [] },
      },
    };
    expect(decide({ agreement: open }, { postSensitivity: "covert" })).toEqual({ ok: false, reason: "covert" });
  });
  it("refuses what the agreement excludes, with the clause that says so", () => {
    const strict = { ...agreement, subjects: undefined };
    expect(decide({ agreement: strict })).toEqual({ ok: false, reason: "not-allowed", clause: "subjects" });
    const noRank = { ...agreement, categories: agreement.categories.filter(({ category }) => category !== "tip:Rank") };
    expect(decide({ agreement: noRank })).toMatchObject({ reason: "not-allowed", clause: "categories" });
  });
  it("refuses another recipient, and an instant outside the validity", () => {
    expect(decide({ recipient: "somebody-else" })).toMatchObject({ reason: "not-allowed" });
    expect(decide({ at: new Date("2031-01-01T00:00:00Z") })).toMatchObject({ reason: "not-allowed" });
    expect(decide({ at: new Date("2025-12-31T23:59:59.999Z") })).toMatchObject({ reason: "not-allowed" });
  });
  it("refuses whoever left, was erased, changed role, or has no portrait", () => {
    const person = { present: true, details: details(), hasPortrait: true };
    expect(decide({ person: { ...person, present: false } })).toMatchObject({ reason: "not-present" });
    expect(decide({ person: { ...person, details: null } })).toMatchObject({ reason: "not-present" });
    expect(decide({}, { role: "staff" })).toMatchObject({ reason: "kind-does-not-fit" });
    expect(decide({ person: { ...person, hasPortrait: false } })).toMatchObject({ reason: "no-portrait" });
  });
  it("allows ordinary and sensitive posts under the example agreement", () => {
    expect(decide()).toEqual({ ok: true });
    expect(decide({ kind: "staff-pass" }, { role: "staff", postSensitivity: "sensitive" })).toEqual({ ok: true });
  });
  it("never lets a covert post into an order, for any kind, recipient and instant", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.constantFrom("cardmaker", "other"),
        fc.date({ min: new Date("2026-01-01"), max: new Date("2030-12-31"), noInvalidDate: true }),
        fc.constantFrom("officer" as const, "staff" as const),
        (kind, recipient, when, role) => {
          const answer = decide({ kind, recipient, at: when }, { postSensitivity: "covert", role });
          expect(answer).toEqual({ ok: false, reason: "covert" });
        },
      ),
    );
  });
});

describe("toFace()", () => {
  it("shows no number that its kind does not disclose", () => {
    const all = details({ payNumber: "PAY", warrantNumber: "WARRANT", collarNumber: "COLLAR", unit: "UNIT" });
    expect(JSON.stringify(toFace("warrant-card", all, "CARD"))).not.toMatch(/PAY|COLLAR|UNIT/);
    expect(JSON.stringify(toFace("staff-pass", all, "CARD"))).not.toMatch(/PAY|WARRANT|UNIT/);
  });
});

describe("shuffle()", () => {
  it("keeps every item, and reaches every order", () => {
    const items = [1, 2, 3];
    const seen = new Set<string>();
    for (const first of [0, 1, 2])
      for (const second of [0, 1]) {
        const draws = [first, second];
        const order = shuffle(items, () => draws.shift() ?? 0);
        expect([...order].sort()).toEqual(items);
        seen.add(order.join());
      }
    expect(seen.size).toBe(6);
  });
});

describe("tellNotIncluded()", () => {
  it("says in words how many stayed out, why, and what to do", () => {
    const told = tellNotIncluded({ "no-portrait": 10, withdrawn: 1 });
    expect(told).toMatch(/^10 without a portrait: .*--photos.*; 1 withdrawn meanwhile$/);
    expect(told).not.toMatch(/no-portrait|[{}"]/);
    expect(tellNotIncluded({})).toBe("");
  });
});
