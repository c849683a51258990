import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRestart, type RestartRefusal, type RestartState } from "./restart-rules.ts";

const state: RestartState = { isKnown: true, isHeld: true, undecided: 0, askedBy: "a" };

describe("decideRestart()", () => {
  it.each<[RestartRefusal, Partial<RestartState>, string]>([
    ["unknown-line", { isKnown: false }, "b"],
    ["not-held", { isHeld: false }, "b"],
    ["undecided", { undecided: 1 }, "b"],
    ["same-person", {}, "a"],
  ])("refuses: %s", (reason, more, actor) => {
    expect(decideRestart({ ...state, ...more }, actor)).toEqual({ ok: false, reason });
  });

  it("asks first, and restarts by another person", () => {
    expect(decideRestart({ ...state, askedBy: null }, "a")).toEqual({ ok: true, step: "ask" });
    expect(decideRestart(state, "b")).toEqual({ ok: true, step: "restart", first: "a" });
  });

  it("never restarts by one person, and never a line that somebody can use", () => {
    const states = fc.record({
      isKnown: fc.boolean(),
      isHeld: fc.boolean(),
      undecided: fc.nat(2),
      askedBy: fc.option(fc.constantFrom("a", "b")),
    });
    fc.assert(
      fc.property(states, fc.constantFrom("a", "b"), (given, actor) => {
        const decision = decideRestart(given, actor);
        if (!decision.ok || decision.step !== "restart") return;
        expect(decision.first).not.toBe(actor);
        expect(given).toMatchObject({ isKnown: true, isHeld: true, undecided: 0 });
      }),
    );
  });
});
