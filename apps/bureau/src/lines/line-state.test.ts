import { createHash } from "node:crypto";
import { chainRestart, chainStart } from "@tipstaff/release-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  beginRequest,
  chainAfter,
  isAskable,
  isStuckOn,
  type JobRecord,
  type LineState,
  markUncertain,
  recordIntent,
  recordOutcome,
  resolveUncertain,
  settleFlight,
  takeOverRestart,
} from "./line-state.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const start = Buffer.from(chainStart("cardmaker", "line-01")).toString("hex");
const idle: LineState = { line: "line-01", chain: start, flight: undefined, stopped: undefined };
const fetched: JobRecord = { job: "j", order: "o", state: "fetched", code: undefined, attempts: 0, line: undefined };
const asked = { run: "r", agreement: "a", identity: sha("identity") };

const begun = () => {
  const step = beginRequest(idle, fetched, asked);
  if (!step.ok) throw new Error(step.reason);
  return step;
};

describe("beginRequest()", () => {
  it("puts the next attempt in flight, after the line's chain value", () => {
    const { line, job } = begun();
    expect(line.flight).toEqual({ ...asked, job: "j", order: "o", attempt: 1, previous: start });
    expect(line.chain).toBe(start);
    expect(job.state).toBe("requesting");
  });

  it("refuses a line that has a request in flight, or is stopped", () => {
    expect(beginRequest(begun().line, { ...fetched, job: "k" }, asked)).toEqual({ ok: false, reason: "in-flight" });
    const stopped = { ...idle, stopped: "line-forked" } as const;
    expect(beginRequest(stopped, fetched, asked)).toEqual({ ok: false, reason: "line-stopped" });
  });

  it.each(["requesting", "intent", "uncertain", "produced", "spoiled"] as const)(
    "refuses a job that is %s",
    (state) => {
      expect(beginRequest(idle, { ...fetched, state }, asked)).toEqual({ ok: false, reason: "not-askable" });
    },
  );

  it.each(["withdrawn", "expired", "already-answered", "unknown-job", "line-forked", "damaged"] as const)(
    "never asks again for a job that was refused as %s",
    (code) => expect(isAskable({ ...fetched, state: "refused", code }, "line-01")).toBe(false),
  );

  it.each(["attempt-refused", "not-in-run", "held"] as const)(
    "may ask again for a job that was refused as %s",
    (code) => {
      expect(isAskable({ ...fetched, state: "refused", code }, "line-01")).toBe(true);
    },
  );

  it("keeps a job with an accepted attempt on its line, where it goes first", () => {
    const stuck: JobRecord = { ...fetched, attempts: 1, line: "line-01" };
    expect(isStuckOn(stuck, "line-01")).toBe(true);
    expect(isAskable(stuck, "line-02")).toBe(false);
    expect(beginRequest({ ...idle, line: "line-02" }, stuck, asked).ok).toBe(false);
  });
});

describe("settleFlight()", () => {
  it("counts the attempt when the force's chain has moved to it", () => {
    const { line, job } = begun();
    if (line.flight === undefined) throw new Error("no flight");
    const chain = chainAfter(line.flight);
    const settled = settleFlight(line, job, { chain });
    expect(settled).toMatchObject({
      ok: true,
      verdict: "accepted",
      line: { chain },
      job: { attempts: 1, line: "line-01" },
    });
  });

  it("does not count the attempt when the force's chain stands where it was", () => {
    const { line, job } = begun();
    const settled = settleFlight(line, job, { chain: start });
    expect(settled).toMatchObject({ ok: true, verdict: "not-accepted", line: idle, job: fetched });
  });

  it("stops the line for good at any other value", () => {
    const { line, job } = begun();
    const settled = settleFlight(line, job, { chain: sha("somebody else") });
    expect(settled).toMatchObject({ ok: true, verdict: "forked", line: { stopped: "line-forked", chain: start } });
    expect(settled.ok && isAskable(settled.job, "line-01")).toBe(false);
  });

  it("refuses where nothing is in flight, or another job is", () => {
    expect(settleFlight(idle, fetched, { chain: start })).toEqual({ ok: false, reason: "no-flight" });
    const { line, job } = begun();
    expect(settleFlight(line, { ...job, job: "k" }, { chain: start })).toEqual({ ok: false, reason: "no-flight" });
  });
});

describe("outcomes", () => {
  const intended = () => {
    const { line, job } = begun();
    const step = recordIntent(line, job);
    if (!step.ok) throw new Error(step.reason);
    return step;
  };

  it("need an intent, and an intent needs a request in flight", () => {
    expect(recordIntent(idle, fetched).ok).toBe(false);
    expect(recordOutcome(begun().job, "produced").ok).toBe(false);
    expect(recordOutcome(intended().job, "produced").ok).toBe(true);
  });

  it("an uncertain job is ended by an operator and by nothing else", () => {
    const uncertain = markUncertain(intended().job);
    if (!uncertain.ok) throw new Error(uncertain.reason);
    expect(recordOutcome(uncertain.job, "produced").ok).toBe(false);
    expect(recordIntent(begun().line, uncertain.job).ok).toBe(false);
    expect(isAskable(uncertain.job, "line-01")).toBe(false);
    expect(resolveUncertain(uncertain.job, "spoiled")).toMatchObject({ ok: true, job: { state: "spoiled" } });
    expect(resolveUncertain(intended().job, "spoiled").ok).toBe(false);
  });

  it("a job that has its outcome changes no more", () => {
    const done = recordOutcome(intended().job, "spoiled");
    if (!done.ok) throw new Error(done.reason);
    expect(recordOutcome(done.job, "produced").ok).toBe(false);
    expect(markUncertain(done.job).ok).toBe(false);
    expect(resolveUncertain(done.job, "produced").ok).toBe(false);
    expect(isAskable(done.job, "line-01")).toBe(false);
  });
});

/** One line, a few jobs, a force and a printer; only `store` survives a crash. */
class Model {
  store = { line: idle, jobs: new Map<string, JobRecord>(), receipts: new Map<string, string>() };
  force = { chain: start, attempts: new Map<string, number>(), receipts: new Map<string, string>() };
  pages: string[] = [];
  resolvedBy = new Set<string>();
  key: string | undefined;
  keys = 0;

  constructor(jobs: number) {
    for (let n = 0; n < jobs; n++) this.store.jobs.set(`job-${n}`, { ...fetched, job: `job-${n}` });
  }
  job(id: string | undefined): JobRecord {
    const job = this.store.jobs.get(id ?? "");
    if (job === undefined) throw new Error("no such job");
    return job;
  }
  set(job: JobRecord): void {
    this.store.jobs.set(job.job, job);
  }
  begin(): void {
    const jobs = [...this.store.jobs.values()];
    const open = jobs.some(({ job, state }) => state === "intent" || state === "uncertain" || this.unsent(job));
    const next = jobs.find((job) => isStuckOn(job, "line-01")) ?? jobs.find((job) => isAskable(job, "line-01"));
    if (open || next === undefined) return;
    this.keys += 1;
    const step = beginRequest(this.store.line, next, { run: "r", agreement: "a", identity: sha(`key ${this.keys}`) });
    if (!step.ok) return;
    this.store.line = step.line;
    this.set(step.job);
    this.key = sha(`key ${this.keys}`);
  }
  unsent(job: string): boolean {
    return this.store.receipts.has(job) && !this.force.receipts.has(job);
  }
  /** The request reaches the force, whether or not its answer comes back. */
  reachForce(): void {
    const { flight } = this.store.line;
    if (flight === undefined || this.force.chain !== flight.previous) return;
    expect(flight.attempt).toBe((this.force.attempts.get(flight.job) ?? 0) + 1);
    expect(this.force.receipts.has(flight.job)).toBe(false);
    this.force.chain = chainAfter(flight);
    this.force.attempts.set(flight.job, flight.attempt);
  }
  intend(): void {
    const { flight } = this.store.line;
    const isAnswered = flight !== undefined && this.force.chain === chainAfter(flight) && this.key === flight.identity;
    if (!isAnswered) return;
    const step = recordIntent(this.store.line, this.job(flight.job));
    if (!step.ok) throw new Error(step.reason);
    this.store.line = step.line;
    this.set(step.job);
    this.printing = flight.job;
    this.key = undefined;
  }
  printing: string | undefined;
  print(): void {
    if (this.printing === undefined || this.pages.includes(this.printing)) return;
    this.pages.push(this.printing);
  }
  finish(): void {
    if (this.printing === undefined || !this.pages.includes(this.printing)) return;
    const step = recordOutcome(this.job(this.printing), "produced");
    if (!step.ok) throw new Error(step.reason);
    this.set(step.job);
    this.store.receipts.set(this.printing, "produced");
    this.printing = undefined;
  }
  send(): void {
    for (const [job, result] of this.store.receipts) this.force.receipts.set(job, result);
  }
  resolve(): void {
    for (const job of this.store.jobs.values()) {
      const result = this.pages.includes(job.job) ? "produced" : "spoiled";
      const step = resolveUncertain(job, result);
      if (!step.ok) continue;
      this.set(step.job);
      this.store.receipts.set(job.job, result);
    }
  }
  crash(): void {
    this.key = undefined;
    this.printing = undefined;
    for (const job of this.store.jobs.values()) {
      const step = markUncertain(job);
      if (step.ok) this.set(step.job);
    }
  }
  settle(): void {
    const { line } = this.store;
    if (line.flight === undefined || this.key !== undefined) return;
    const step = settleFlight(line, this.job(line.flight.job), { chain: this.force.chain });
    if (!step.ok) throw new Error(step.reason);
    this.store.line = step.line;
    this.set(step.job);
  }
  check(): void {
    expect(new Set(this.pages).size).toBe(this.pages.length);
    expect(this.store.line.stopped).toBeUndefined();
    for (const page of this.pages) expect(["intent", "uncertain", "produced"]).toContain(this.job(page).state);
    for (const job of this.store.jobs.values()) {
      const isDecided = job.state === "produced" || job.state === "spoiled";
      expect(this.store.receipts.has(job.job)).toBe(isDecided);
      if (job.state === "produced") expect(this.pages).toContain(job.job);
      if (job.state === "spoiled") expect(this.pages).not.toContain(job.job);
      expect(job.attempts).toBeLessThanOrEqual(this.force.attempts.get(job.job) ?? 0);
    }
  }
}

const STEPS = ["begin", "reachForce", "intend", "print", "finish", "send", "resolve", "crash", "settle"] as const;

describe("a line that is ended at any point and started again", () => {
  it("never prints a job twice, and never loses a receipt that was recorded", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 120 }), (steps) => {
        const model = new Model(3);
        for (const step of steps) {
          model[step]();
          model.check();
        }
      }),
      { numRuns: 600 },
    );
  });

  it("always gets to its end once crashes stop", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 60 }), (steps) => {
        const model = new Model(3);
        for (const step of steps) model[step]();
        model.crash();
        for (let round = 0; round < 8; round++) {
          for (const step of [
            "settle",
            "resolve",
            "send",
            "begin",
            "reachForce",
            "intend",
            "print",
            "finish",
            "send",
          ] as const)
            model[step]();
          model.check();
        }
        expect([...model.store.jobs.values()].every(({ state }) => state === "produced" || state === "spoiled")).toBe(
          true,
        );
        expect(model.force.receipts.size).toBe(3);
      }),
      { numRuns: 150 },
    );
  });
});

describe("takeOverRestart()", () => {
  const restart = "0b0e7a8e-5f0e-4c39-9a52-0d2d5f0c7a11";
  const recipient = "cardmaker";
  const chain = Buffer.from(chainRestart(recipient, "line-01", restart)).toString("hex");
  const stopped = { ...idle, chain: sha("old"), stopped: "line-forked" } as const;

  it("begins the line anew at the restart's chain value", () => {
    expect(takeOverRestart(stopped, { recipient, chain, restart })).toEqual({ ok: true, line: { ...idle, chain } });
  });

  it.each([
    ["the force names no restart", { recipient, chain }],
    ["the line was used since", { recipient, chain: sha("next"), restart }],
    ["it is another restart's value", { recipient, chain, restart: restart.replace("0b", "0c") }],
    ["it is another recipient's", { recipient: "other", chain, restart }],
    ["it is what the bureau knew before", { recipient, chain: stopped.chain, restart }],
  ])("stays stopped where %s", (_name, told) => {
    expect(takeOverRestart(stopped, told)).toEqual({ ok: false, reason: "no-consent" });
  });

  it("refuses a line that is not stopped, so that no restart can move one in use", () => {
    expect(takeOverRestart(idle, { recipient, chain, restart })).toEqual({ ok: false, reason: "not-stopped" });
  });
});
