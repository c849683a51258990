import fc from "fast-check";
import { expect, it } from "vitest";
import { refill, takeToken } from "./token-bucket.ts";

const start = new Date("2026-03-01T00:00:00.000Z");
const limits = { ratePerSecond: 0.5, burst: 2 };
const after = (ms: number) => new Date(start.getTime() + ms);

it("takeToken() says after how many whole seconds there will be a permit", () => {
  const taken = takeToken({ tokens: 0, at: start }, limits, start);
  expect(taken).toEqual({ ok: false, retryAfterSeconds: 2 });
  expect(takeToken({ tokens: 0, at: start }, limits, after(2000))).toMatchObject({ ok: true });
});

it("refill() stops at the burst, also from a bucket that never was used", () => {
  expect(refill({ tokens: 0, at: start }, limits, after(60_000)).tokens).toBe(2);
  expect(refill({ tokens: Number.POSITIVE_INFINITY, at: start }, limits, start).tokens).toBe(2);
});

it("refill() gives nothing for a clock that went back, nor twice for the same time", () => {
  const bucket = refill({ tokens: 0, at: after(4000) }, limits, start);
  expect(bucket).toEqual({ tokens: 0, at: after(4000) });
  expect(refill(bucket, limits, after(4000)).tokens).toBe(0);
});

it("refill() in steps is refill() at once", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), (first, second) => {
      const big = { ratePerSecond: 3, burst: 1e9 };
      const inSteps = refill(refill({ tokens: 0, at: start }, big, after(first)), big, after(first + second));
      expect(inSteps.tokens).toBeCloseTo(refill({ tokens: 0, at: start }, big, after(first + second)).tokens, 6);
    }),
  );
});
