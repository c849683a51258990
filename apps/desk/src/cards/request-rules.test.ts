import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Actor, ROLES } from "../access/roles.ts";
import { CARD_KINDS } from "./card-kinds.ts";
import { decideRequest, isLive, type Requestable, refuseDecision, routeFor } from "./request-rules.ts";
import { REQUEST_MOVES, type RequestState, VALIDITY_MOVES, type Validity } from "./states.ts";

const clerk: Actor = { id: "clerk", roles: ["clerk"], personId: null };
const custodian: Actor = { id: "custodian", roles: ["custodian"], personId: null };
const person = (over: Partial<Requestable> = {}): Requestable => ({
  present: true,
  details: { role: "officer", postSensitivity: "ordinary" },
  openKinds: [],
  cards: [],
  ...over,
});
const covert = person({ details: { role: "officer", postSensitivity: "covert" } });
const reasonOf = (answer: ReturnType<typeof decideRequest>) => (answer.ok ? undefined : answer.reason);

const anyActor = fc
  .record({ id: fc.constantFrom("a", "b", "c"), roles: fc.subarray([...ROLES]) })
  .map((actor): Actor => ({ ...actor, personId: null }));
const validities = Object.keys(VALIDITY_MOVES).filter((key): key is Validity => Object.hasOwn(VALIDITY_MOVES, key));
const states = Object.keys(REQUEST_MOVES).filter((key): key is RequestState => Object.hasOwn(REQUEST_MOVES, key));
const anyPerson = fc.record({
  present: fc.boolean(),
  details: fc.option(
    fc.record({
      role: fc.constantFrom("officer" as const, "staff" as const),
      postSensitivity: fc.constantFrom("ordinary", "sensitive", "covert", "something new", ""),
    }),
  ),
  openKinds: fc.subarray(Object.keys(CARD_KINDS)),
  cards: fc.array(
    fc.record({
      id: fc.uuid(),
      kind: fc.constantFrom("warrant-card", "staff-pass"),
      validity: fc.constantFrom(...validities),
    }),
    { maxLength: 3 },
  ),
});
const anyKind = fc.option(fc.constantFrom("warrant-card", "staff-pass", "contractor-pass", "toString"), {
  nil: undefined,
});

describe("decideRequest()", () => {
  it("refuses somebody unknown, absent, erased, and a covert post seen by a clerk, all in the same words", () => {
    const refused = [undefined, person({ present: false }), person({ details: null }), covert];
    for (const one of refused)
      expect(decideRequest({ actor: clerk, person: one, kind: undefined })).toEqual({
        ok: false,
        reason: "unknown-person",
      });
  });
  it("refuses a clerk a covert post before it looks at anything else", () => {
    for (const kind of ["staff-pass", "no-such-kind", undefined])
      expect(reasonOf(decideRequest({ actor: clerk, person: { ...covert, openKinds: ["warrant-card"] }, kind }))).toBe(
        "unknown-person",
      );
  });
  it("refuses a kind that does not fit the role, and one that is not made", () => {
    expect(reasonOf(decideRequest({ actor: clerk, person: person(), kind: "staff-pass" }))).toBe("kind-does-not-fit");
    expect(reasonOf(decideRequest({ actor: clerk, person: person(), kind: "__proto__" }))).toBe("unknown-kind");
  });
  it("refuses a second open request of the same kind, and one while the card is being made", () => {
    const open = person({ openKinds: ["warrant-card"] });
    const making = person({ cards: [{ id: "c", kind: "warrant-card", validity: "inactive" }] });
    for (const one of [open, making])
      expect(reasonOf(decideRequest({ actor: clerk, person: one, kind: undefined }))).toBe("already-requested");
  });
  it("names the predecessor of a replacement, which lives until the swap", () => {
    const holder = person({ cards: [{ id: "old", kind: "warrant-card", validity: "active" }] });
    expect(decideRequest({ actor: clerk, person: holder, kind: undefined })).toEqual({
      ok: true,
      kind: "warrant-card",
      route: "bureau",
      replaces: "old",
    });
  });
  it("lets custodians alone request for covert posts, in-house", () => {
    expect(decideRequest({ actor: custodian, person: covert, kind: undefined })).toMatchObject({
      ok: true,
      route: "in-house",
    });
  });
  it("never sends anybody but ordinary and sensitive posts to a bureau, whatever is asked", () => {
    fc.assert(
      fc.property(anyActor, anyPerson, anyKind, (actor, one, kind) => {
        const answer = decideRequest({ actor, person: one, kind });
        if (!answer.ok || answer.route !== "bureau") return;
        expect(["ordinary", "sensitive"]).toContain(one.details?.postSensitivity);
        expect(CARD_KINDS[answer.kind].role).toBe(one.details?.role);
        expect(one.openKinds).not.toContain(answer.kind);
      }),
    );
  });
});

describe("refuseDecision()", () => {
  const requested = { state: "requested", route: "bureau", personId: "p", requestedBy: "clerk" } as const;
  const approver: Actor = { id: "approver", roles: ["approver"], personId: null };

  it("refuses an approval by the requester, whatever roles they have", () => {
    const both: Actor = { id: "clerk", roles: [...ROLES], personId: null };
    for (const route of ["bureau", "in-house"] as const)
      expect(refuseDecision({ actor: both, request: { ...requested, route }, decision: "approved" })).toBe(
        "own-request",
      );
  });
  it("refuses an approval of one's own card", () => {
    expect(refuseDecision({ actor: { ...approver, personId: "p" }, request: requested, decision: "approved" })).toBe(
      "about-yourself",
    );
  });
  it("refuses an approver what is in-house as if it were not there", () => {
    const hidden = { ...requested, route: "in-house" as const };
    for (const decision of ["approved", "rejected", "withdrawn"] as const)
      expect(refuseDecision({ actor: approver, request: hidden, decision })).toBe("unknown-request");
  });
  it("refuses a custodian who is no approver the bureau's requests", () => {
    expect(refuseDecision({ actor: custodian, request: requested, decision: "approved" })).toBe("not-your-duty");
  });
  it("refuses every path outside the table", () => {
    fc.assert(
      fc.property(
        anyActor,
        fc.constantFrom(...states),
        fc.constantFrom("bureau" as const, "in-house" as const),
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom("approved" as const, "rejected" as const, "withdrawn" as const),
        (actor, state, route, requestedBy, decision) => {
          const request = { state, route, personId: "p", requestedBy };
          if (refuseDecision({ actor, request, decision }) !== undefined) return;
          const moves: readonly string[] = REQUEST_MOVES[state];
          expect(moves).toContain(decision);
          if (route === "in-house") expect(actor.roles).toContain("custodian");
          if (decision === "approved") expect(actor.id).not.toBe(requestedBy);
        },
      ),
    );
  });
});

describe("routeFor() and isLive()", () => {
  it("takes the in-house route for anything that is not known to be open", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(routeFor(text) === "bureau").toBe(text === "ordinary" || text === "sensitive");
      }),
    );
  });
  it("counts revoked, expired and void cards as gone", () => {
    expect(validities.filter(isLive)).toEqual(["inactive", "active", "suspended"]);
  });
});
