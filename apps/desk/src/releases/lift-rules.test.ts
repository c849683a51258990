import fc from "fast-check";
import { expect, it } from "vitest";
import { refuseLiftBeforeRebuild } from "../restore/rebuild-rules.ts";
import { decideLift, type StandingHold } from "./lift-rules.ts";

const hold: StandingHold = {
  isOverdueReceipt: false,
  jobHasReceipt: false,
  liftAskedBy: null,
  isLifted: false,
  awaitsRebuild: undefined,
};

it("decideLift() takes two different people", () => {
  expect(decideLift(hold, { actor: "a" })).toEqual({ ok: true, step: "ask" });
  expect(decideLift({ ...hold, liftAskedBy: "a" }, { actor: "a" })).toMatchObject({ ok: false, reason: "same-person" });
  expect(decideLift({ ...hold, liftAskedBy: "a" }, { actor: "b" })).toEqual({ ok: true, step: "lift", first: "a" });
});

it("decideLift() refuses a hold that was lifted", () => {
  expect(decideLift({ ...hold, isLifted: true }, { actor: "a" })).toMatchObject({ reason: "already-lifted" });
});

it("decideLift() refuses to lift the hold of an overdue receipt that nobody looked into", () => {
  const overdue = { ...hold, isOverdueReceipt: true };
  expect(decideLift(overdue, { actor: "a" })).toMatchObject({ reason: "not-looked-into" });
  expect(decideLift({ ...overdue, liftAskedBy: "a" }, { actor: "b" })).toMatchObject({ reason: "not-looked-into" });
  expect(decideLift(overdue, { actor: "a", despite: "the line burnt down" })).toMatchObject({ ok: true });
  expect(decideLift({ ...overdue, jobHasReceipt: true }, { actor: "a" })).toMatchObject({ ok: true });
});

it("decideLift() takes no step of anybody's while a restore is not rebuilt, whatever the hold and whatever is said", () => {
  const anyone = fc.constantFrom("a", "b", "c");
  const anyHold = fc.record({
    isOverdueReceipt: fc.boolean(),
    jobHasReceipt: fc.boolean(),
    liftAskedBy: fc.option(anyone, { nil: null }),
    isLifted: fc.boolean(),
  });
  const lift = fc.record({ actor: anyone, despite: fc.option(fc.string(), { nil: undefined }) });
  fc.assert(
    fc.property(anyHold, lift, fc.array(fc.string(), { minLength: 1 }), (standing, asked, open) => {
      const decision = decideLift({ ...standing, awaitsRebuild: refuseLiftBeforeRebuild(open) }, asked);
      expect(decision.ok).toBe(false);
      if (!decision.ok && !standing.isLifted) expect(decision.reason).toBe("not-rebuilt");
    }),
  );
});

it("decideLift() says what to do about a restore that is not rebuilt", () => {
  const decision = decideLift({ ...hold, awaitsRebuild: refuseLiftBeforeRebuild(["7"]) }, { actor: "a" });
  expect(decision).toMatchObject({ words: expect.stringMatching(/Restore 7 .*start the desk.*restore\.md/) });
  expect(refuseLiftBeforeRebuild([])).toBeUndefined();
});
