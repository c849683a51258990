import { chainNext } from "@tipstaff/release-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JOB_MOVES } from "../cards/states.ts";
import { type JobRow, type KnownState, lineKey } from "./known-state.ts";
import type { LogEvent } from "./log-events.ts";
import { planRebuild, type Rebuild } from "./plan-rebuild.ts";
import { anyStep, carryOut, firstMoment, liveThrough, type Moment } from "./test-history.ts";

const anyHistory = fc.array(anyStep, { maxLength: 80, size: "max" }).map(liveThrough);
/** A history, a backup within it, and how many of its last entries the backup has though they came back as well. */
const anyLoss = fc
  .tuple(anyHistory, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4))
  .map(([moments, part, more]) => {
    const at = Math.floor(part * (moments.length - 1));
    const [backup, last] = [moments[at] ?? firstMoment, moments.at(-1) ?? firstMoment];
    return { backup, last, cameBack: last.events.slice(Math.max(0, at - more)) };
  });

const shown = (state: KnownState) => ({
  ...{ releases: state.releases, jobs: state.jobs, cards: state.cards, lines: state.lines, buckets: state.buckets },
  restarts: state.restarts,
});
const isNothing = (plan: Rebuild): boolean =>
  plan.buckets.size === 0 &&
  [plan.releases, plan.receipts, plan.jobs, plan.stubs, plan.scanned, plan.cards, plan.voided, plan.lines].every(
    ({ length }) => length === 0,
  ) &&
  [plan.approvals, plan.restarts, plan.runsClosed, plan.holdsPlaced, plan.holdsLifted].every(
    ({ length }) => length === 0,
  );

/** What the recipient's counters say: cards out, and jobs open on each line. */
const countersOf = ({ jobs }: KnownState) => {
  const all = [...jobs.values()];
  const open = all.filter(({ state }) => state === "released").map(({ line }) => line ?? "");
  return {
    unaccounted: all.filter((job) => job.attempt > 0 && job.state !== "cancelled" && job.scannedAt === null).length,
    open: open.sort(),
  };
};

const canReach = (from: string, to: string, seen = new Set([from])): boolean => {
  if (from === to) return true;
  const moves: Readonly<Record<string, readonly string[]>> = JOB_MOVES;
  return (moves[from] ?? []).some((next) => !seen.has(next) && canReach(next, to, seen.add(next)));
};

describe("planRebuild()", () => {
  it("brings an old database to where it was before the loss, wherever the backup stood", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, last, cameBack }) => {
        const after = carryOut(planRebuild(cameBack, backup.state), backup.state);
        expect(shown(after)).toEqual(shown(last.state));
        expect(countersOf(after)).toEqual(countersOf(last.state));
      }),
      { numRuns: 400 },
    );
  });

  it("plans nothing for a database that has everything, and nothing a second time", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, last, cameBack }) => {
        expect(isNothing(planRebuild(cameBack, last.state))).toBe(true);
        const after = carryOut(planRebuild(cameBack, backup.state), backup.state);
        expect(isNothing(planRebuild(cameBack, after))).toBe(true);
      }),
    );
  });

  it("moves a job along the table of states alone", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, cameBack }) => {
        const { jobs, stubs } = planRebuild(cameBack, backup.state);
        for (const { job, state } of jobs) expect(canReach(backup.state.jobs.get(job)?.state ?? "", state)).toBe(true);
        for (const { state } of stubs) expect(canReach("sealed", state)).toBe(true);
      }),
    );
  });

  it("counts jobs that the database never knew, and gives them neither card nor key", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, last, cameBack }) => {
        // As if the order of all jobs had come after the backup, but for those that it has releases of.
        const jobs = new Map([...backup.state.jobs].filter(([, { attempt }]) => attempt > 0));
        const known = { ...backup.state, jobs };
        const plan = planRebuild(cameBack, known);
        const after = carryOut(plan, known);
        expect(countersOf(after)).toEqual(countersOf(last.state));
        for (const stub of plan.stubs) {
          expect(jobs.has(stub.job)).toBe(false);
          const { card: _, logged: __, ...same } = last.state.jobs.get(stub.job) ?? stub;
          expect(stub).toEqual({ ...same, card: null, logged: { order: "order-1", agreement: "aa".repeat(32) } });
        }
      }),
    );
  });
});

/** Entries that cannot be opened are not among the events. */
const anyPatchyLoss = fc
  .tuple(anyLoss, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }))
  .map(([loss, keep]) => ({ ...loss, cameBack: loss.cameBack.filter((_, at) => keep[at] ?? true) }));
const jobAfter = (state: KnownState, job: string): JobRow | undefined => state.jobs.get(job);

describe("whatever entries are missing", () => {
  it("a job that was released, answered or scanned in has no first attempt any more", () => {
    fc.assert(
      fc.property(anyPatchyLoss, ({ backup, cameBack }) => {
        const after = carryOut(planRebuild(cameBack, backup.state), backup.state);
        for (const event of cameBack) {
          if (event.kind === "release" || event.kind === "receipt" || event.kind === "received") {
            expect(jobAfter(after, event.job)?.state).not.toBe("sealed");
            expect(jobAfter(after, event.job)?.attempt).toBeGreaterThanOrEqual(1);
          }
        }
      }),
    );
  });

  it("a released card that was not scanned in is unaccounted, and a receipt stays final", () => {
    fc.assert(
      fc.property(anyPatchyLoss, ({ backup, cameBack }) => {
        const after = carryOut(planRebuild(cameBack, backup.state), backup.state);
        const arrived = new Set(cameBack.flatMap((event) => (event.kind === "received" ? [event.job] : [])));
        for (const event of cameBack) {
          const job = "job" in event ? jobAfter(after, event.job) : undefined;
          if (event.kind === "release" && event.outcome === "released" && !arrived.has(event.job))
            expect(job?.scannedAt === null ? job.state : "scanned").not.toBe("cancelled");
          if (event.kind === "release" && event.attempt > 1) expect(job?.state).not.toBe("cancelled");
          if (event.kind === "receipt") expect(job).toMatchObject({ answered: true, line: event.line });
          if (job?.answered) expect(["produced", "spoiled"]).toContain(job.state);
        }
      }),
    );
  });
});

describe("whatever came before is missing", () => {
  it("a line's chain goes on from its last release, as its entry says it", () => {
    fc.assert(
      fc.property(anyPatchyLoss, ({ backup, cameBack }) => {
        const after = carryOut(planRebuild(cameBack, backup.state), backup.state);
        const lastOn = new Map(cameBack.flatMap((event) => ("line" in event ? [[event.line, event] as const] : [])));
        for (const event of lastOn.values()) {
          if (event.kind !== "release" || backup.state.releases.has(event.operation)) continue;
          const from = Buffer.from(event.previous ?? "", "hex");
          const chain = Buffer.from(chainNext(from, Buffer.from(event.identity, "hex"))).toString("hex");
          expect(after.lines.get(lineKey(event.recipient, event.line ?? ""))).toBe(chain);
        }
      }),
    );
  });

  it("a release after a receipt, of whatever attempt, leaves the receipt's word", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, cameBack }) => {
        const turned = cameBack.toReversed();
        const after = carryOut(planRebuild(turned, backup.state), backup.state);
        for (const event of cameBack) {
          const job = "job" in event ? jobAfter(after, event.job) : undefined;
          if (event.kind === "receipt") expect(["produced", "spoiled"]).toContain(job?.state);
        }
      }),
    );
  });
});

/** Entries from before they named their line. */
const withoutLine = (event: LogEvent): LogEvent =>
  event.kind === "release" ? { ...event, line: undefined, previous: undefined } : event;
const recalledOf = ({ state }: Moment): Map<string, string> =>
  new Map([...state.jobs.values()].flatMap(({ job, line, releasedAt }) => (line && releasedAt ? [[job, line]] : [])));

describe("releases whose entries do not name their line", () => {
  it("are placed where the keyholder released the job to, and each other one is named", () => {
    fc.assert(
      fc.property(anyLoss, ({ backup, last, cameBack }) => {
        const known = { ...backup.state, recalledLines: recalledOf(last) };
        const plan = planRebuild(cameBack.map(withoutLine), known);
        const after = carryOut(plan, known);
        expect(plan.unplaced.length).toBe(plan.releases.filter(({ line }) => line === null).length);
        for (const { line, outcome } of plan.releases) if (line === null) expect(outcome).toBe("cancelled");
        if (plan.unplaced.length === 0) expect(shown(after)).toEqual(shown(last.state));
        expect(countersOf(after)).toEqual(countersOf(last.state));
      }),
    );
  });
});

describe("what people had decided", () => {
  const place = { index: 0, operation: "00".repeat(32) };
  const at = "2026-03-01T09:30:00.000Z";
  const [run, hold, other] = ["run-1", "hold-1", "hold-2"];
  const placed = { ...place, kind: "hold-placed" as const, recipient: "cardmaker", reason: "by-hand", detail: {}, at };
  const known = { ...firstMoment.state, openRuns: new Set([run]), holds: new Map([[hold, false]]) };

  it("is noted again: runs that were closed, holds placed and lifted, attempts approved", () => {
    const ofJob = { recipient: "cardmaker", order: "order-1", agreement: "", at };
    const events: LogEvent[] = [
      { ...place, kind: "run-closed", run, at },
      { ...place, kind: "run-closed", run: "run-2", at },
      { ...placed, hold },
      { ...placed, hold: other },
      { ...place, kind: "hold-lifted", hold, at },
      { ...place, kind: "attempt-approved", ...ofJob, job: "job-0", attempt: 3 },
      { ...place, kind: "attempt-approved", ...ofJob, job: "unknown", attempt: 3 },
      { ...place, kind: "other", of: "imported" },
    ];
    const plan = planRebuild(events, known);
    expect(plan.runsClosed.map((one) => one.run)).toEqual([run]);
    expect(plan.holdsPlaced.map((one) => one.hold)).toEqual([other]);
    expect(plan.holdsLifted.map((one) => one.hold)).toEqual([hold]);
    expect(plan.approvals.map(({ job, attempt }) => [job, attempt])).toEqual([["job-0", 3]]);
    expect(plan.others).toEqual({ imported: 1 });
    expect(isNothing(planRebuild(events, carryOut(plan, known)))).toBe(true);
  });

  it("leaves no permit where nobody knows the agreement's rate", () => {
    const release = { order: "o", agreement: "bb".repeat(32), job: "job-0", attempt: 1, identity: "cc".repeat(32), at };
    const decided = { outcome: "released" as const, decidedAt: at, line: "line-1", previous: undefined };
    const event: LogEvent = { ...place, kind: "release", recipient: "cardmaker", ...release, ...decided };
    expect(planRebuild([event], known).buckets.get("cardmaker")).toEqual({ tokens: 0, at: new Date(at) });
  });
});
