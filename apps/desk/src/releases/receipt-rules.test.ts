import type { Receipt } from "@tipstaff/release-protocol";
import { describe, expect, it } from "vitest";
import { decideReceipt, type ReceiptState } from "./receipt-rules.ts";

const receipt: Receipt = {
  version: 1,
  recipient: "cardmaker",
  agreement: "ab",
  order: "order",
  job: "job",
  attempt: 1,
  line: "line-1",
  result: "produced",
  blank: "B-1",
  at: "2026-06-01T12:00:00.000Z",
  kept: "nothing",
};
const job = {
  recipient: "cardmaker",
  order: "order",
  agreementDigest: "ab",
  state: "released" as const,
  receiptDigest: null,
};
const fine: ReceiptState = { job, release: { state: "released", line: "line-1" } };

it("decideReceipt() accepts the first receipt of a released job, and the same again", () => {
  expect(decideReceipt(receipt, "d", fine)).toEqual({ ok: true, kind: "accept" });
  const answered = { ...fine, job: { ...job, state: "produced" as const, receiptDigest: "d" } };
  expect(decideReceipt(receipt, "d", answered)).toEqual({ ok: true, kind: "same" });
});

it("decideReceipt() accepts the receipt that ends an uncertain job", () => {
  expect(decideReceipt(receipt, "d", { ...fine, job: { ...job, state: "uncertain" } })).toMatchObject({ ok: true });
});

const refusals: readonly [string, ReceiptState, string][] = [
  ["a job that there is not", { ...fine, job: undefined }, "unknown-job"],
  ["a job of another recipient", { ...fine, job: { ...job, recipient: "other" } }, "unknown-job"],
  ["a job of another order", { ...fine, job: { ...job, order: "other" } }, "unknown-job"],
  ["another agreement", { ...fine, job: { ...job, agreementDigest: "cd" } }, "agreement-not-in-force"],
  ["a job that is being decided", { ...fine, job: { ...job, state: "reserved" } }, "unavailable"],
  ["an attempt that is being decided", { ...fine, release: { state: "logged", line: "line-1" } }, "unavailable"],
  ["an attempt that never was", { ...fine, release: undefined }, "attempt-refused"],
  ["an attempt that was cancelled", { ...fine, release: { state: "cancelled", line: "line-1" } }, "attempt-refused"],
  ["a sealed job", { ...fine, job: { ...job, state: "sealed" }, release: undefined }, "attempt-refused"],
  ["another line", { ...fine, release: { state: "released", line: "line-2" } }, "attempt-refused"],
];
describe("decideReceipt() refuses", () => {
  it.each(refusals)("%s", (_name, state, code) => {
    const decision = decideReceipt(receipt, "d", state);
    expect(decision).toMatchObject({ ok: false, code });
    expect(decision).not.toHaveProperty("tripwire");
  });

  it("another receipt for the same job, and alarms", () => {
    const answered = { ...fine, job: { ...job, state: "produced" as const, receiptDigest: "e" } };
    const expected = { ok: false, code: "already-answered", tripwire: "conflicting-receipt" };
    expect(decideReceipt(receipt, "d", answered)).toMatchObject(expected);
  });
});
