import { readFileSync } from "node:fs";
import { type Agreement, parseAgreement, toLimits } from "@tipstaff/agreement";
import type { ReleaseRequest } from "@tipstaff/release-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRelease } from "./apply-release.ts";
import { decideRelease, type ReleasableJob, type ReleaseState } from "./decide-release.ts";

const EXAMPLE = readFileSync(new URL("../../../../examples/agreements/card-contractor.yaml", import.meta.url));
const agreement = readExample();
const digest = "ab".repeat(32);
const now = new Date("2026-06-01T12:00:00.000Z");
const later = new Date("2026-06-01T13:00:00.000Z");
const limits = {
  ...toLimits(agreement),
  ratePerSecond: 1,
  burst: 3,
  openPerLine: 1,
  lines: 3,
  unaccounted: 5,
  attempts: 2,
};

function readExample(): Agreement {
  const parsed = parseAgreement(EXAMPLE, { fileName: "card-contractor.yaml" });
  if (!parsed.ok) throw new Error("the example is no agreement");
  return parsed.agreement;
}

const request: ReleaseRequest = {
  version: 1,
  recipient: "cardmaker",
  agreement: digest,
  run: "run",
  order: "order",
  job: "job",
  attempt: 1,
  line: "line-1",
  previous: "00",
  key: "",
};
const job: ReleasableJob = {
  recipient: "cardmaker",
  order: "order",
  orderExpiresAt: later,
  agreementDigest: digest,
  state: "sealed",
  attempt: 0,
  line: null,
  hasKey: true,
  sealedRecordVersion: 4,
  recordVersion: 4,
  categories: ["pd:Name"],
  hasReceipt: false,
  attemptApproved: false,
};
const run = { recipient: "cardmaker", order: "order", open: true, until: later, hasJob: true };
const fine: ReleaseState & { job: ReleasableJob } = {
  now,
  job,
  run,
  agreement: { digest, agreement, limits },
  recipient: { bucket: { tokens: 3, at: now }, unaccounted: 0, lines: 1 },
  line: { chain: "00", open: 0, pinned: true },
  held: false,
};
const released = { ...job, state: "released" as const, attempt: 1, line: "line-1" };
const withJob = (more: Partial<ReleasableJob>): ReleaseState => ({ ...fine, job: { ...job, ...more } });
const withReleased = (more: Partial<ReleasableJob> = {}): ReleaseState => ({
  ...fine,
  job: { ...released, ...more },
  line: { chain: "00", open: 1, pinned: true },
});

it("decideRelease() allows a sealed job of an open run, and counts it everywhere", () => {
  expect(decideRelease(request, fine)).toEqual({
    ok: true,
    effects: { attempt: 1, bucket: { tokens: 2, at: now }, unaccountedMore: 1, lineOpenMore: 1 },
  });
});

it("decideRelease() allows a further attempt in the same slot, which counts in the rate alone", () => {
  expect(decideRelease({ ...request, attempt: 2 }, withReleased())).toEqual({
    ok: true,
    effects: { attempt: 2, bucket: { tokens: 2, at: now }, unaccountedMore: 0, lineOpenMore: 0 },
  });
});

it("decideRelease() allows a new line up to the agreed number, and a known one for ever", () => {
  const unpinned = { chain: "00", open: 0, pinned: false };
  const used = (lines: number) => ({ ...fine.recipient, lines });
  expect(decideRelease(request, { ...fine, recipient: used(2), line: unpinned })).toMatchObject({ ok: true });
  expect(decideRelease(request, { ...fine, recipient: used(3) })).toMatchObject({ ok: true });
});

it("decideRelease() allows an attempt beyond the agreement's where a person approved it", () => {
  const state = withReleased({ attempt: 2, attemptApproved: true });
  expect(decideRelease({ ...request, attempt: 3 }, state)).toMatchObject({ ok: true });
});

const inactive = { ...fine, agreement: undefined };
const refusals: readonly [string, ReleaseState, string, Partial<ReleaseRequest>?][] = [
  ["a job that there is not", { ...fine, job: undefined }, "unknown-job"],
  ["a job of another recipient", withJob({ recipient: "other" }), "unknown-job"],
  ["a job of another order", withJob({ order: "other" }), "unknown-job"],
  ["a run that there is not", { ...fine, run: undefined }, "no-open-run"],
  ["a run of another recipient", { ...fine, run: { ...run, recipient: "other" } }, "no-open-run"],
  ["a run of another order", { ...fine, run: { ...run, order: "other" } }, "no-open-run"],
  ["a closed run", { ...fine, run: { ...run, open: false } }, "no-open-run"],
  ["a run whose time is over", { ...fine, run: { ...run, until: now } }, "no-open-run"],
  ["a job outside the run", { ...fine, run: { ...run, hasJob: false } }, "not-in-run"],
  ["an agreement that is not active", inactive, "agreement-not-in-force"],
  ["another agreement than the order's", fine, "agreement-not-in-force", { agreement: "cd".repeat(32) }],
  ["an agreement before its time", { ...fine, now: new Date("2025-12-31") }, "agreement-not-in-force"],
  ["a category that was not granted", withJob({ categories: ["pd:HomeAddress"] }), "agreement-not-in-force"],
  ["a category that nobody knows", withJob({ categories: ["pd:Nothing"] }), "agreement-not-in-force"],
  ["a job with a receipt", withReleased({ hasReceipt: true }), "already-answered", { attempt: 2 }],
  ["a produced job", withJob({ state: "produced" }), "already-answered"],
  ["a spoiled job", withJob({ state: "spoiled" }), "already-answered"],
  ["an expired job", withJob({ state: "expired" }), "expired"],
  ["a cancelled job", withJob({ state: "cancelled" }), "withdrawn"],
  ["a person who was erased", withJob({ recordVersion: null }), "withdrawn"],
  ["a record that changed", withJob({ recordVersion: 5 }), "withdrawn"],
  ["a job without its key", withJob({ hasKey: false }), "withdrawn"],
  ["an expired order", withJob({ orderExpiresAt: now }), "expired"],
  [
    "a released job of an expired order",
    withReleased({ orderExpiresAt: now, hasKey: false }),
    "expired",
    { attempt: 2 },
  ],
  ["a held recipient", { ...fine, held: true }, "held"],
  ["a broken chain", { ...fine, line: { chain: "01", open: 0, pinned: true } }, "chain-broken"],
  [
    "one more line than agreed",
    { ...fine, recipient: { ...fine.recipient, lines: 3 }, line: { chain: "00", open: 0, pinned: false } },
    "line-busy",
  ],
  ["a job that is being decided", withJob({ state: "reserved", attempt: 1 }), "line-busy", { attempt: 2 }],
  ["a logged job", withJob({ state: "logged", attempt: 1 }), "line-busy", { attempt: 2 }],
  ["a line that is full", { ...fine, line: { chain: "00", open: 1, pinned: true } }, "line-busy"],
  ["too many unaccounted", { ...fine, recipient: { ...fine.recipient, unaccounted: 5 } }, "limit-reached"],
  ["a second attempt first", fine, "attempt-refused", { attempt: 2 }],
  ["the same attempt again", withReleased(), "attempt-refused"],
  ["a skipped attempt", withReleased(), "attempt-refused", { attempt: 3 }],
  ["an attempt beyond the agreement's", withReleased({ attempt: 2 }), "attempt-refused", { attempt: 3 }],
  ["an attempt on another line", withReleased({ line: "line-2" }), "line-busy", { attempt: 2 }],
  ["an uncertain job", withReleased({ state: "uncertain" }), "line-busy", { attempt: 2 }],
  [
    "a used-up rate",
    { ...fine, recipient: { bucket: { tokens: 0.5, at: now }, unaccounted: 0, lines: 1 } },
    "too-fast",
  ],
];
describe("decideRelease() refuses", () => {
  it.each(refusals)("%s", (_name, state, code, more = {}) => {
    expect(decideRelease({ ...request, ...more }, state)).toMatchObject({ ok: false, code });
  });

  it("an attempt on another line, and one of an uncertain job, also where the line has room", () => {
    const room = { chain: "00", open: 0, pinned: true };
    const moved = { ...withReleased({ line: "line-2" }), line: room };
    const uncertain = { ...withReleased({ state: "uncertain" }), line: room };
    expect(decideRelease({ ...request, attempt: 2 }, moved)).toMatchObject({ code: "attempt-refused" });
    expect(decideRelease({ ...request, attempt: 2 }, uncertain)).toMatchObject({ code: "attempt-refused" });
  });
});

it("decideRelease() trips a wire for a broken chain, a line too many and a job outside the run, and for nothing else", () => {
  const tripped = refusals.filter(([, state, , more = {}]) => {
    const decision = decideRelease({ ...request, ...more }, state);
    return !decision.ok && decision.tripwire !== undefined;
  });
  expect(tripped.map(([, , code]) => code)).toEqual(["not-in-run", "chain-broken", "line-busy"]);
});

it("decideRelease() tells the force why in words that hold no id", () => {
  for (const [, state, , more = {}] of refusals) {
    const decision = decideRelease({ ...request, ...more }, state);
    expect(decision.ok ? "" : decision.words).toMatch(/^[\w[\].': ,()-]{10,}$/);
  }
});

type Step = { readonly job: number; readonly line: number; readonly waitMs: number; readonly action: Action };
type Action = "release" | "again" | "receipt" | "scan";
const steps = fc.array(
  fc.record<Step>({
    job: fc.nat(9),
    line: fc.nat(2),
    waitMs: fc.nat(900),
    action: fc.constantFrom("release", "again", "receipt", "scan"),
  }),
  { minLength: 1, maxLength: 120 },
);

/** A recipient played through, with nothing but decideRelease() to hold it back. */
function play(script: readonly Step[]) {
  let [at, unaccounted, turn, used] = [now, 0, 0, 0];
  let bucket = { tokens: limits.burst, at: now };
  const jobs = Array.from({ length: 10 }, (_, id) => ({ ...job, id, scanned: false }));
  const lines = Array.from({ length: 3 }, () => ({ chain: "00", open: 0, pinned: false }));
  const releasedAt: number[] = [];
  for (const step of script) {
    at = new Date(at.getTime() + step.waitMs);
    const [one, line] = [jobs[step.job], lines[step.line]];
    if (one === undefined || line === undefined) continue;
    const name = `line-${step.line}`;
    if (step.action === "receipt" && one.state === "released") {
      jobs[step.job] = { ...one, state: "produced", hasReceipt: true };
      const own = lines[Number(one.line?.slice(5))];
      if (own !== undefined) own.open -= 1;
    } else if (step.action === "scan" && one.state === "produced" && !one.scanned) {
      jobs[step.job] = { ...one, scanned: true };
      unaccounted -= 1;
    } else if (step.action === "release" || step.action === "again") {
      const asked = { ...request, line: name, previous: line.chain, attempt: one.attempt + 1 };
      const state = { ...fine, now: at, job: one, line, recipient: { bucket, unaccounted, lines: used } };
      const decision = decideRelease(asked, state);
      if (!decision.ok) continue;
      turn += 1;
      const after = applyRelease(state, asked, { effects: decision.effects, nextChain: String(turn) });
      jobs[step.job] = { ...one, ...after.job, state: "released" };
      lines[step.line] = { ...after.line };
      ({ bucket, unaccounted, lines: used } = after.recipient);
      releasedAt.push(at.getTime());
    }
    expect(used).toBe(lines.filter(({ pinned }) => pinned).length);
    const out = jobs.filter(({ attempt, scanned }) => attempt > 0 && !scanned).length;
    expect(unaccounted).toBe(out);
    expect(out).toBeLessThanOrEqual(limits.unaccounted);
    for (const [place, { open }] of lines.entries()) {
      const waiting = jobs.filter((other) => other.state === "released" && other.line === `line-${place}`).length;
      expect(open).toBe(waiting);
      expect(open).toBeLessThanOrEqual(limits.openPerLine);
    }
  }
  return { releasedAt, jobs };
}

it("decideRelease() keeps every counter equal to what it counts, and below its limit, whatever is asked", () => {
  fc.assert(fc.property(steps, (script) => void play(script)));
});

it("decideRelease() never lets more through in any stretch of time than burst and rate allow", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const { releasedAt } = play(script);
      for (const [from, start] of releasedAt.entries()) {
        for (const [to, end] of releasedAt.entries()) {
          if (to < from) continue;
          const most = limits.burst + ((end - start) / 1000) * limits.ratePerSecond;
          expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

it("decideRelease() never lets a job through more often than the agreement's attempts, and never after its receipt", () => {
  fc.assert(
    fc.property(steps, (script) => {
      for (const { attempt } of play(script).jobs) expect(attempt).toBeLessThanOrEqual(limits.attempts);
    }),
  );
});
