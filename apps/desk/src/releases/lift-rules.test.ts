import { expect, it } from "vitest";
import { decideLift, type StandingHold } from "./lift-rules.ts";

const hold: StandingHold = { isOverdueReceipt: false, jobHasReceipt: false, liftAskedBy: null, isLifted: false };

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
