import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS, type Action, type Actor, isRole, mayDo, maySee, ROLES, type Role } from "./roles.ts";

const actor = (...roles: Role[]): Actor => ({ id: "a", roles, personId: null });
const actions = Object.keys(ACTIONS).filter((key): key is Action => Object.hasOwn(ACTIONS, key));

describe("mayDo()", () => {
  it("refuses everything to somebody without a role", () => {
    for (const action of actions) expect(mayDo(actor(), action)).toBe(false);
  });
  it("refuses a clerk to decide, to order, to lift a hold, to hand over", () => {
    for (const action of ["decide-request", "create-order", "lift-hold", "hand-over-card", "open-run"] as const)
      expect(mayDo(actor("clerk"), action)).toBe(false);
  });
  it("refuses production to request, to decide, to activate an agreement, to scan its own cards in", () => {
    for (const action of ["request-card", "decide-request", "activate-agreement", "receive-cards"] as const)
      expect(mayDo(actor("production"), action)).toBe(false);
  });
  it("refuses an administrator everything about cards", () => {
    for (const action of ["request-card", "decide-request", "create-order", "show-card", "see-exposure"] as const)
      expect(mayDo(actor("admin"), action)).toBe(false);
  });
  it("allows exactly what one of the roles allows", () => {
    fc.assert(
      fc.property(fc.subarray([...ROLES]), fc.constantFrom(...actions), (roles, action) => {
        expect(mayDo(actor(...roles), action)).toBe(roles.some((role) => mayDo(actor(role), action)));
      }),
    );
  });
});

describe("maySee()", () => {
  it("shows what is in-house to custodians alone", () => {
    for (const role of ROLES) expect(maySee(actor(role), { route: "in-house" })).toBe(role === "custodian");
  });
  it("shows the bureau's route to everybody", () => {
    for (const role of ROLES) expect(maySee(actor(role), { route: "bureau" })).toBe(true);
  });
});

describe("isRole()", () => {
  it("refuses what is not in the list", () => {
    for (const text of ["", "Clerk", "root", "toString", "__proto__"]) expect(isRole(text)).toBe(false);
  });
});
