import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Said, toFollowUp, toJournalSize, toLoggedRelease } from "./log-events.ts";

const place = { index: 4, operation: "ab".repeat(32) };
const [order, job, run, hold, card] = Array.from({ length: 5 }, () => randomUUID());
const at = "2026-03-01T09:30:00.000Z";
const [identity, agreement, previous] = ["11".repeat(32), "22".repeat(32), "33".repeat(32)];
const said = (kind: string, more: Partial<Said> = {}, detail?: object): Said => ({
  ...{ kind, recipient: "cardmaker", at, order: order ?? "", job: job ?? "", attempt: "2", agreement },
  ...{ request: identity, facts: "{}", detail: detail === undefined ? "" : JSON.stringify(detail) },
  ...more,
});

describe("toLoggedRelease()", () => {
  it("reads the line and the chain value that an entry says, and does without them", () => {
    const about = { recipient: "cardmaker", order, agreement, job, attempt: 2, identity, at };
    const release = { ...place, kind: "release", ...about };
    expect(toLoggedRelease(place, said("release", {}, { line: "line-1", previous }))).toEqual({
      ...release,
      ...{ line: "line-1", previous },
    });
    const without = { ...release, line: undefined, previous: undefined };
    for (const detail of [undefined, {}, { line: "line-1" }, { line: "line-1", previous: "33" }, []])
      expect(toLoggedRelease(place, said("release", {}, detail))).toEqual(without);
  });

  it("is none of another kind, and none without a job, an attempt or a request", () => {
    expect(toLoggedRelease(place, said("receipt"))).toBeUndefined();
    for (const more of [{ job: "" }, { job: "job-1" }, { attempt: "" }, { attempt: "0" }, { request: "" }])
      expect(toLoggedRelease(place, said("release", more))).toBeUndefined();
  });
});

describe("toFollowUp()", () => {
  it.each([
    ["receipt", said("receipt", {}, { line: "line-1", result: "spoiled", blank: "B-1", declaredAt: at }), "receipt"],
    ["a scan", said("received", { agreement: "", attempt: "", request: "" }), "received"],
    ["a hand-over", said("handed-over", { recipient: "", agreement: "" }), "handed-over"],
    ["an approval", said("attempt-approved", { agreement: "" }), "attempt-approved"],
    [
      "a revocation",
      said("validity-changed", { job: "" }, { card, from: "active", to: "revoked" }),
      "validity-changed",
    ],
    ["a run's end", said("run-closed", {}, { run }), "run-closed"],
    ["a hold", said("hold-placed", {}, { hold, reason: "rate", line: "line-1" }), "hold-placed"],
    ["its end", said("hold-lifted", {}, { hold, reason: "rate", first: randomUUID() }), "hold-lifted"],
    ["a restart", said("hold-lifted", {}, { line: "l", restart: run, first: randomUUID() }), "line-restarted"],
    ["an import", said("imported"), "other"],
  ])("reads %s", (_what, entry, kind) => {
    expect(toFollowUp(place, entry)).toMatchObject({ ...place, kind });
  });

  it("counts an entry among the others that is not what its kind has", () => {
    for (const entry of [
      said("receipt", {}, { line: "line-1", result: "lost", blank: "B-1" }),
      said("receipt", { request: "" }, { line: "line-1", result: "spoiled", blank: "B-1" }),
      ...["release", "received", "handed-over", "attempt-approved"].map((kind) => said(kind, { job: "" })),
      said("validity-changed", {}, { card, to: "void" }),
      ...["validity-changed", "run-closed", "hold-placed", "hold-lifted"].map((kind) => said(kind, {}, { run: "x" })),
      said("constructor"),
    ])
      expect(toFollowUp(place, entry)).toEqual({ ...place, kind: "other", of: entry.kind });
  });

  it("makes nothing of readings, of the journal's heads and of censuses, and never throws", () => {
    for (const kind of ["opened", "journal-head", "census"]) expect(toFollowUp(place, said(kind))).toBeUndefined();
    const kinds = fc.constantFrom("receipt", "received", "validity-changed", "hold-lifted", "run-closed", "x");
    fc.assert(
      fc.property(kinds, fc.string(), fc.json(), (kind, text, json) => {
        for (const detail of [text, json]) toFollowUp(place, said(kind, { detail, job: text, attempt: text }));
      }),
    );
  });
});

it("toJournalSize() reads the journal's heads alone", () => {
  expect(toJournalSize(said("journal-head", {}, { size: 7, head: identity }))).toBe(7);
  expect(toJournalSize(said("journal-head", {}, { size: "7" }))).toBe(0);
  expect(toJournalSize(said("census", {}, { size: 7 }))).toBe(0);
});
