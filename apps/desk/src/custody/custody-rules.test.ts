import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Actor } from "../access/roles.ts";
import { CUSTODY_MOVES, type Custody, VALIDITY_MOVES, type Validity } from "../cards/states.ts";
import { custodyAfter, refuseHandOver, refuseReceive, refuseValidity, type StoredCard } from "./custody-rules.ts";

const desk: Actor = { id: "front-desk", roles: ["receiving"], personId: null };
const arrived: StoredCard = {
  validity: "inactive",
  custody: "station",
  personId: "p",
  requestedBy: "clerk",
  released: true,
  produced: true,
};
const handOver = (card: Partial<StoredCard>, actor = desk, identityChecked = true) =>
  refuseHandOver({ actor, card: { ...arrived, ...card }, identityChecked });

const validities = Object.keys(VALIDITY_MOVES).filter((key): key is Validity => Object.hasOwn(VALIDITY_MOVES, key));
const custodies = Object.keys(CUSTODY_MOVES).filter((key): key is Custody => Object.hasOwn(CUSTODY_MOVES, key));
const anyCard = fc.record({
  validity: fc.constantFrom(...validities),
  custody: fc.constantFrom(...custodies),
  personId: fc.constantFrom("p", "q"),
  requestedBy: fc.constantFrom("clerk", "front-desk"),
  released: fc.boolean(),
  produced: fc.boolean(),
});

describe("refuseHandOver()", () => {
  it("refuses whoever requested the card, and the holder", () => {
    expect(handOver({ requestedBy: "front-desk" })).toBe("own-request");
    expect(handOver({}, { ...desk, personId: "p" })).toBe("own-card");
  });
  it("refuses without a check of the holder's identity", () => {
    expect(handOver({}, desk, false)).toBe("identity-not-checked");
  });
  it("refuses a card that is not at a station, not produced, or void", () => {
    expect(handOver({ custody: "transit" })).toBe("not-at-a-station");
    expect(handOver({ produced: false })).toBe("not-produced");
    expect(handOver({ validity: "void" })).toBe("not-in-that-state");
    expect(refuseHandOver({ actor: desk, card: undefined, identityChecked: true })).toBe("unknown-card");
  });
  it("allows nothing but an inactive card at a station, whatever else is true", () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        if (refuseHandOver({ actor: desk, card, identityChecked: true }) !== undefined) return;
        expect(card).toMatchObject({ validity: "inactive", custody: "station", produced: true, requestedBy: "clerk" });
      }),
    );
  });
});

describe("refuseReceive()", () => {
  it("refuses a card that was never released, is at a station already, or was destroyed", () => {
    expect(refuseReceive(undefined)).toBe("unknown-card");
    expect(refuseReceive({ ...arrived, custody: "bureau", released: false })).toBe("never-released");
    expect(refuseReceive(arrived)).toBe("not-in-that-state");
    expect(refuseReceive({ ...arrived, custody: "destroyed" })).toBe("not-in-that-state");
  });
  it("allows a spoiled card that comes back", () => {
    expect(refuseReceive({ ...arrived, validity: "void", custody: "bureau", produced: false })).toBeUndefined();
  });
});

describe("refuseValidity() and custodyAfter()", () => {
  it("refuse every path outside the tables", () => {
    fc.assert(
      fc.property(anyCard, fc.constantFrom("suspended" as const, "active" as const, "revoked" as const), (card, to) => {
        const moves: readonly string[] = VALIDITY_MOVES[card.validity];
        if (refuseValidity(card, to) === undefined) expect(moves).toContain(to);
        const after = custodyAfter(card.custody, "lost");
        const custodyMoves: readonly string[] = CUSTODY_MOVES[card.custody];
        if (after !== card.custody) expect(custodyMoves).toContain(after);
      }),
    );
  });
  it("refuse to make an inactive card active without a hand-over", () => {
    expect(refuseValidity(arrived, "active")).toBe("not-in-that-state");
  });
});
