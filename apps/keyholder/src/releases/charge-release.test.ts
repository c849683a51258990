import type { Limits } from "@tipstaff/agreement";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chargeRelease, GRACE_SECONDS, type ReleaseState, type TokenBucket } from "./charge-release.ts";

const limits: Limits = {
  ...{ ratePerSecond: 2, burst: 5, openPerLine: 1, lines: 3, unaccounted: 10, attempts: 2 },
  ...{ receiptWithinSeconds: 120, orderExpiresAfterSeconds: 86_400 },
};
const claim = { recipient: "cardmaker", order: "o-1", attempt: 2 };
const job = { recipient: "cardmaker", order: "o-1", releases: 1, lastAttempt: 1, answered: false, accounted: false };
const fresh: ReleaseState = {
  ...{ held: false, decidedBefore: false, job: undefined, approved: false, openOnLine: 0, unaccounted: 0 },
  ...{ linePinned: true, lines: 1 },
  bucket: undefined,
};
const codeOf = (state: Partial<ReleaseState>, changes: Partial<typeof claim> = {}) => {
  const charge = chargeRelease({ ...claim, ...changes }, { state: { ...fresh, ...state }, limits, nowMs: 0 });
  return charge.ok ? "ok" : charge.code;
};

test.each([
  ["a hold", "held", { held: true }],
  ["a second leaf of the same request", "replayed", { decidedBefore: true }],
  ["a job of another recipient", "unknown-job", { job: { ...job, recipient: "other" } }],
  ["a job of another order", "unknown-job", { job: { ...job, order: "o-2" } }],
  ["a job with a receipt", "already-answered", { job: { ...job, answered: true } }],
  ["a job whose card was scanned in", "already-answered", { job: { ...job, accounted: true } }],
  ["an attempt that was released before", "attempt-refused", { job: { ...job, lastAttempt: 2 } }],
  ["more attempts than agreed", "attempt-refused", { job: { ...job, releases: 2 } }],
  ["a line that has its open job", "line-busy", { openOnLine: 1 }],
  ["one more line than agreed", "line-busy", { linePinned: false, lines: 3 }],
  ["more unaccounted cards than agreed", "limit-reached", { unaccounted: 10 }],
  ["an empty bucket", "too-fast", { bucket: { tokens: 0.99, atMs: 0 } }],
] as const)("chargeRelease() refuses %s with %s", (_, code, state) => {
  expect(codeOf(state)).toBe(code);
});

test("chargeRelease() allows a further attempt in the same slot, and beyond the agreed number by approval only", () => {
  expect(codeOf({ job, unaccounted: 10 })).toBe("ok");
  expect(codeOf({ job: { ...job, releases: 2, lastAttempt: 1 }, approved: true })).toBe("ok");
  expect(codeOf({ job: { ...job, releases: 2, answered: true }, approved: true })).toBe("already-answered");
  expect(codeOf({ job: { ...job, lastAttempt: 3 }, approved: true })).toBe("attempt-refused");
});

test("chargeRelease() lets through no more than burst + rate × (time + grace), in any window", () => {
  const waits = fc.array(fc.integer({ min: -500, max: 4000 }), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(waits, (pauses) => {
      let bucket: TokenBucket | undefined;
      let nowMs = 1_000_000;
      let latest = nowMs;
      const at: number[] = [];
      for (const pause of pauses) {
        nowMs += pause;
        latest = Math.max(latest, nowMs);
        const charge = chargeRelease(claim, { state: { ...fresh, bucket }, limits, nowMs });
        if (!charge.ok) continue;
        bucket = charge.bucket;
        at.push(latest);
      }
      for (const [first, start] of at.entries()) {
        for (let last = first; last < at.length; last += 1) {
          const seconds = ((at[last] ?? start) - start) / 1000;
          const most = limits.burst + limits.ratePerSecond * (seconds + GRACE_SECONDS);
          expect(last - first + 1).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

test("chargeRelease() gives nothing for a clock that goes back", () => {
  const state = { ...fresh, bucket: { tokens: 1, atMs: 10_000 } };
  const charge = chargeRelease(claim, { state, limits, nowMs: 0 });
  expect(charge).toEqual({ ok: true, bucket: { tokens: 0, atMs: 10_000 } });
});
