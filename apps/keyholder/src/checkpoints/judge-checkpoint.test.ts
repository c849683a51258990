import { verifyConsistency } from "@tipstaff/ledger";
import fc from "fast-check";
import { expect, test } from "vitest";
import { consistencyProof, treeRoot } from "../test-scenario.ts";
import { type CheckpointClaim, judgeCheckpoint } from "./judge-checkpoint.ts";

const leaves = Array.from({ length: 70 }, (_, at) => Uint8Array.of(at));
const headOf = (size: number) => ({ size, root: treeRoot(leaves.slice(0, size)) });
const claimOf = (oldSize: number, size: number): CheckpointClaim => ({
  ...headOf(size),
  oldSize,
  proof: consistencyProof(leaves.slice(0, size), oldSize).map((hash) => Buffer.from(hash, "base64")),
});
const judge = (last: number, next: CheckpointClaim) => judgeCheckpoint(headOf(last), next, verifyConsistency);
const sizes = fc.tuple(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 70 }));

test("judgeCheckpoint() allows every extension of the last, and the last again", () => {
  fc.assert(
    fc.property(sizes, ([a, b]) => {
      const [old, size] = [Math.min(a, b), Math.max(a, b)];
      expect(judge(old, claimOf(old, size))).toEqual({ ok: true });
    }),
  );
});

test("judgeCheckpoint() refuses a smaller tree, also with a true proof", () => {
  expect(judge(9, { ...claimOf(0, 8), oldSize: 9 })).toEqual({ ok: false, reason: "smaller" });
  expect(judge(1, { ...headOf(0), oldSize: 1, proof: [] })).toEqual({ ok: false, reason: "smaller" });
});

test("judgeCheckpoint() refuses another root of the same size, or of a larger one", () => {
  const other = treeRoot([...leaves.slice(0, 8), Uint8Array.of(200)]);
  expect(judge(9, { ...claimOf(9, 9), root: other })).toEqual({ ok: false, reason: "fork" });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 255 }), ([a, b], bit) => {
      const [old, size] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(old > 0 && old < size);
      const claim = claimOf(old, size);
      const root = Uint8Array.from(claim.root);
      root[bit >> 3] = (root[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(judge(old, { ...claim, root })).toEqual({ ok: false, reason: "inconsistent" });
      expect(judge(old, { ...claim, proof: claim.proof.slice(1) })).toEqual({ ok: false, reason: "inconsistent" });
    }),
  );
});

test("judgeCheckpoint() refuses an extension of another tree than the last signed one", () => {
  expect(judge(9, claimOf(8, 20))).toEqual({ ok: false, reason: "other-old-size" });
  expect(judge(9, claimOf(0, 20))).toEqual({ ok: false, reason: "other-old-size" });
});
