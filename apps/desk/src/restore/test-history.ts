import { createHash } from "node:crypto";
import { chainNext, chainRestart, chainStart } from "@tipstaff/release-protocol";
import fc from "fast-check";
import { refill } from "../releases/token-bucket.ts";
import { type CardRow, type JobRow, type KnownState, lineKey } from "./known-state.ts";
import type { LogEvent } from "./log-events.ts";
import type { Rebuild } from "./plan-rebuild.ts";

const RECIPIENT = "cardmaker";
const AGREEMENT = "aa".repeat(32);
const ORDER = "order-1";
export const LIMITS = { ratePerSecond: 0.5, burst: 5 };
const START_MS = Date.parse("2026-03-01T09:30:00.000Z");
const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What may happen next; `job` and `line` are taken by their remainder. */
export type Step = {
  readonly what: "release" | "receipt" | "receive" | "hand-over" | "suspend" | "revoke" | "restart";
  readonly job: number;
  readonly line: number;
  readonly isGood: boolean;
  readonly afterMs: number;
};
export const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom("release", "release", "receipt", "receive", "hand-over", "suspend", "revoke", "restart"),
  job: fc.nat(5),
  line: fc.nat(2),
  isGood: fc.boolean(),
  afterMs: fc.nat(5000),
});

/** A moment of a force: its database, and everything that its log says until then. */
export type Moment = { readonly state: KnownState; readonly events: readonly LogEvent[] };

const firstJob = (at: number): JobRow => ({
  ...{ job: `job-${at}`, recipient: RECIPIENT, card: `card-${at}`, logged: undefined, state: "sealed", attempt: 0 },
  ...{ line: null, releaseOperation: null, releasedAt: null, receiptAt: null, scannedAt: null, blank: null },
  answered: false,
});
const firstCard = (at: number): CardRow => ({
  ...{ card: `card-${at}`, validity: "inactive", custody: "bureau", revokedReason: null },
});

export const firstMoment: Moment = {
  events: [],
  state: {
    releases: new Set(),
    jobs: new Map(Array.from({ length: 6 }, (_, at) => [`job-${at}`, firstJob(at)])),
    cards: new Map(Array.from({ length: 6 }, (_, at) => [`card-${at}`, firstCard(at)])),
    lines: new Map(),
    buckets: new Map([[RECIPIENT, { tokens: Number.POSITIVE_INFINITY, at: new Date(START_MS) }]]),
    limits: new Map([[AGREEMENT, LIMITS]]),
    ...{ restarts: new Set(), holds: new Map(), openRuns: new Set(), approvals: new Set(), recalledLines: new Map() },
  },
};

/** The moment after each step that the desk's own rules allow: written from those rules, apart from what is tested. */
export function liveThrough(steps: readonly Step[]): Moment[] {
  const moments = [firstMoment];
  let nowMs = START_MS;
  for (const step of steps) {
    const before = moments.at(-1) ?? firstMoment;
    nowMs += step.afterMs;
    const after = take(before, step, new Date(nowMs).toISOString());
    if (after !== undefined) moments.push(after);
  }
  return moments;
}

function take(moment: Moment, step: Step, at: string): Moment | undefined {
  const job = moment.state.jobs.get(`job-${step.job % 6}`);
  const card = moment.state.cards.get(job?.card ?? "");
  if (job === undefined || card === undefined) return undefined;
  if (step.what === "release") return release(moment, { job, card, step, at });
  if (step.what === "restart") return restart(moment, `line-${step.line}`, at);
  if (step.what === "receipt") return receipt(moment, { job, card, step, at });
  if (step.what === "receive") return receive(moment, { job, card, at });
  return changeCard(moment, { job, card, step, at });
}

type About = { readonly job: JobRow; readonly card: CardRow; readonly at: string };
type With = About & { readonly step: Step };

const placeOf = ({ events }: Moment) => ({ index: events.length, operation: hexOf(`operation ${events.length}`) });
const ofJob = ({ job }: JobRow, at: string) => ({ recipient: RECIPIENT, order: ORDER, agreement: AGREEMENT, job, at });
const log = (moment: Moment, event: LogEvent, state: Partial<KnownState>): Moment => ({
  events: [...moment.events, event],
  state: { ...moment.state, ...state },
});
const withJob = ({ state }: Moment, job: JobRow) => new Map(state.jobs).set(job.job, job);
const withCard = ({ state }: Moment, card: CardRow) => new Map(state.cards).set(card.card, card);

function release(moment: Moment, { job, card, step, at }: With): Moment | undefined {
  const isFurther = job.state === "released" && !job.answered;
  const line = isFurther ? (job.line ?? "") : `line-${step.line}`;
  if (job.state !== "sealed" && !isFurther) return undefined;
  const bucket = refill(moment.state.buckets.get(RECIPIENT) ?? { tokens: 0, at: new Date(at) }, LIMITS, new Date(at));
  if (bucket.tokens < 1) return undefined;
  const previous = moment.state.lines.get(lineKey(RECIPIENT, line)) ?? toHex(chainStart(RECIPIENT, line));
  const place = placeOf(moment);
  const [attempt, identity] = [job.attempt + 1, hexOf(`identity ${place.index}`)];
  const chain = toHex(chainNext(Buffer.from(previous, "hex"), Buffer.from(identity, "hex")));
  const decided = step.isGood ? ("released" as const) : ("cancelled" as const);
  const isOver = decided === "cancelled" && attempt === 1;
  const state = isOver ? ("cancelled" as const) : ("released" as const);
  const after = { ...job, attempt, line, state, releaseOperation: place.operation };
  const event = { ...ofJob(job, at), attempt, identity, line, previous, outcome: decided, decidedAt: at };
  return log(
    moment,
    { kind: "release", ...place, ...event },
    {
      releases: new Set([...moment.state.releases, place.operation]),
      jobs: withJob(moment, decided === "released" ? { ...after, releasedAt: at } : after),
      cards: isOver ? withCard(moment, { ...card, validity: "void" }) : moment.state.cards,
      lines: new Map(moment.state.lines).set(lineKey(RECIPIENT, line), chain),
      buckets: new Map([[RECIPIENT, { tokens: bucket.tokens - 1, at: bucket.at }]]),
    },
  );
}

function receipt(moment: Moment, { job, card, step, at }: With): Moment | undefined {
  if (job.state !== "released" || job.line === null) return undefined;
  const result = step.isGood ? ("produced" as const) : ("spoiled" as const);
  const blank = `blank-${job.job}`;
  const said = { attempt: job.attempt, digest: hexOf(blank), line: job.line, result, blank };
  return log(
    moment,
    { kind: "receipt", ...placeOf(moment), ...ofJob(job, at), ...said },
    {
      jobs: withJob(moment, { ...job, state: result, receiptAt: at, blank, answered: true }),
      cards: result === "spoiled" ? withCard(moment, { ...card, validity: "void" }) : moment.state.cards,
    },
  );
}

function receive(moment: Moment, { job, card, at }: About): Moment | undefined {
  if (job.releasedAt === null || job.scannedAt !== null) return undefined;
  return log(
    moment,
    { kind: "received", ...placeOf(moment), ...ofJob(job, at) },
    {
      jobs: withJob(moment, { ...job, scannedAt: at }),
      cards: withCard(moment, { ...card, custody: "station" }),
    },
  );
}

function changeCard(moment: Moment, { job, card, step, at }: With): Moment | undefined {
  if (step.what === "hand-over") {
    const isReady = job.state === "produced" && card.custody === "station" && card.validity === "inactive";
    if (!isReady) return undefined;
    const event = { kind: "handed-over" as const, ...placeOf(moment), ...ofJob(job, at) };
    return log(moment, event, { cards: withCard(moment, { ...card, validity: "active", custody: "holder" }) });
  }
  if (card.validity !== "active") return undefined;
  const to = step.what === "suspend" ? ("suspended" as const) : ("revoked" as const);
  const reason = step.isGood ? "leaver" : "lost";
  const event = { kind: "validity-changed" as const, ...placeOf(moment), card: card.card, to, reason };
  const custody = reason === "lost" ? ("missing" as const) : card.custody;
  const revokedReason = to === "revoked" ? reason : null;
  return log(moment, event, { cards: withCard(moment, { ...card, validity: to, custody, revokedReason }) });
}

function restart(moment: Moment, line: string, at: string): Moment | undefined {
  const key = lineKey(RECIPIENT, line);
  if (!moment.state.lines.has(key)) return undefined;
  const id = `restart-${moment.events.length}`;
  const event = { recipient: RECIPIENT, line, restart: id, first: "somebody", at };
  return log(
    moment,
    { kind: "line-restarted", ...placeOf(moment), ...event },
    {
      restarts: new Set([...moment.state.restarts, id]),
      lines: new Map(moment.state.lines).set(key, toHex(chainRestart(RECIPIENT, line, id))),
    },
  );
}

/** The database after a plan was carried out. */
export function carryOut(plan: Rebuild, known: KnownState): KnownState {
  const cards = new Map(known.cards);
  for (const card of plan.cards) cards.set(card.card, card);
  for (const { card } of plan.voided) {
    const before = cards.get(card);
    if (before?.validity === "inactive") cards.set(card, { ...before, validity: "void" });
  }
  return {
    ...known,
    cards,
    releases: new Set([...known.releases, ...plan.releases.map(({ operation }) => operation)]),
    jobs: new Map([...known.jobs, ...[...plan.jobs, ...plan.stubs].map((job) => [job.job, job] as const)]),
    lines: new Map([
      ...known.lines,
      ...plan.lines.map(({ recipient, line, chain }) => [lineKey(recipient, line), chain] as const),
    ]),
    buckets: new Map([...known.buckets, ...plan.buckets]),
    restarts: new Set([...known.restarts, ...plan.restarts.map((one) => one.restart)]),
    holds: new Map([
      ...known.holds,
      ...plan.holdsPlaced.map(({ hold }) => [hold, false] as const),
      ...plan.holdsLifted.map(({ hold }) => [hold, true] as const),
    ]),
    openRuns: new Set([...known.openRuns].filter((run) => !plan.runsClosed.some((one) => one.run === run))),
    approvals: new Set([...known.approvals, ...plan.approvals.map(({ job, attempt }) => `${job}/${attempt}`)]),
  };
}
