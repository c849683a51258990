import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyholderHandlers as calls } from "../calls.ts";
import { startTestKeyholder, type TestKeyholder } from "../test-scenario.ts";
import { censusLeaves } from "./census-leaves.ts";

let held: TestKeyholder;
beforeEach(async () => {
  held = await startTestKeyholder();
});
afterEach(() => held.end());

const [first, second] = [randomUUID(), randomUUID()];
const createRoots = () => {
  const batchId = randomUUID();
  calls["roots/create"](held.keyholder, { batchId, persons: [first, second] });
  calls["roots/confirm"](held.keyholder, { batchId });
};
const leavesOf = (people: { person: string; n: number }[], seq = 1) => censusLeaves(held.keyholder, { seq, people });

describe("census/leaves", () => {
  test("a leaf changes with the count and with nothing else, and its key with the person alone", () => {
    createRoots();
    const { leaves } = leavesOf([first, second].map((person) => ({ person, n: 3 })));
    expect(
      leavesOf(
        [first, second].map((person) => ({ person, n: 3 })),
        2,
      ).leaves,
    ).toEqual(leaves);
    const [moved] = leavesOf([{ person: first, n: 4 }]).leaves;
    expect(moved?.key).toBe(leaves[0]?.key);
    expect(moved?.commitment).not.toBe(leaves[0]?.commitment);
    expect(leaves[1]?.key).not.toBe(leaves[0]?.key);
  });

  test("says beforehand which operation id the next census will have", () => {
    const { next } = leavesOf([], 1);
    const draft = { kind: "census", reference: "2", at: "2026-03-01T09:30:00.000Z" };
    const prepared = calls["entries/prepare"](held.keyholder, { entries: [draft] });
    expect(prepared).toMatchObject({ entries: [{ operationId: next }] });
    expect(leavesOf([], 2).next).not.toBe(next);
  });

  test("has no leaf for a person who was never there, or was erased", () => {
    createRoots();
    calls["roots/erase"](held.keyholder, { person: first, actor: second, at: "2026-03-01T09:30:00.000Z" });
    const people = [first, randomUUID(), second].map((person) => ({ person, n: 1 }));
    expect(leavesOf(people).leaves.map((leaf) => leaf === null)).toEqual([true, true, false]);
  });
});
