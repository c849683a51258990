import { runListSchema, runSchema } from "@tipstaff/release-protocol";
import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import { notAnswered } from "../desk/not-answered.ts";
import { askPatiently } from "../desk/patience.ts";
import { fetchOrders } from "../orders/fetch-orders.ts";
import { markLeftIntents } from "./left-intents.ts";
import { runLine, type Work } from "./line-runner.ts";
import { isAskable, isStuckOn } from "./line-state.ts";
import type { InjectedFault } from "./print-card.ts";
import { within } from "./within.ts";

const ASK_PATIENCE_MS = 10_000;

export type PrintOptions = {
  /** One run; every open one when left out. */
  readonly run?: string | undefined;
  /** Only so many lines, the first ones. */
  readonly lines?: number | undefined;
  /** How long a line waits for a hold, the rate, or an absent desk before it goes idle. */
  readonly patienceSeconds: number;
  /** Which cards of this call spoil, and which jam their line; counted from 1. For demonstrations. */
  readonly spoil: readonly number[];
  readonly loseReceipt: readonly number[];
};

export type PrintSummary = {
  readonly produced: number;
  readonly spoiled: number;
  readonly uncertain: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly receiptsWaiting: number;
  readonly lines: Readonly<Record<string, number>>;
  readonly seconds: number;
};

/** What a line is doing, or why it stopped. */
export type LineActivity = { readonly doing: string; readonly job?: string | undefined; readonly since: Date };

/** Jobs that may be printed now, each with its run. */
type Pool = { readonly fresh: Iterator<string>; readonly runOf: ReadonlyMap<string, string> };

/** Prints what the force has opened, over all lines at once. Throws `unreachable` or `refused` when there is no telling. */
export async function printOpenRuns(bureau: Bureau, options: PrintOptions, activity: Map<string, LineActivity>) {
  const runs = await openRuns(bureau, options.run);
  const isHere = (id: string): boolean => {
    const order = bureau.store.order(id);
    return order !== undefined && bureau.orderFiles.isWhole(order);
  };
  if (!runs.every(({ order }) => isHere(order))) await fetchOrders(bureau);
  const runOf = new Map(runs.flatMap(({ run, jobs }) => jobs.map((job) => [job, run] as const)));
  return runSession(bureau, { fresh: [...runOf.keys()].values(), runOf }, options, activity);
}

/**
 * After a start: requests that were in flight are settled, and those that the force had accepted are finished on their
 * lines. Nothing new is begun.
 */
export async function finishWhatWasBegun(bureau: Bureau, patienceSeconds: number, activity: Map<string, LineActivity>) {
  const flights = bureau.store.lines().flatMap(({ line, flight }) => (flight === undefined ? [] : [{ line, flight }]));
  const runOf = new Map(flights.map(({ flight }) => [flight.job, flight.run]));
  const options = { patienceSeconds, spoil: [], loseReceipt: [] };
  const only = new Set(flights.map(({ line }) => line));
  return runSession(bureau, { fresh: [].values(), runOf }, options, activity, only);
}

async function runSession(
  bureau: Bureau,
  pool: Pool,
  options: PrintOptions,
  activity: Map<string, LineActivity>,
  only?: ReadonlySet<string>,
): Promise<PrintSummary> {
  const begun = performance.now();
  await markLeftIntents(bureau);
  // Those whose acceptance could not be recorded; what is under way already is joined.
  for (const receipt of bureau.store.waitingReceipts()) void bureau.receipts.deliver(receipt);
  const cards = { produced: 0, spoiled: 0, uncertain: 0 };
  const refused: Record<string, number> = {};
  const refusedJobs = new Map<string, string>();
  const ended: Record<string, number> = {};
  const nextFault = faultsInOrder(options);
  const openPerLine = Math.min(...[...bureau.pins.agreements.values()].map(({ limits }) => limits.openPerLine));
  const all = bureau.store.lines().map(({ line }) => line);
  const lines = only === undefined ? all.slice(0, options.lines ?? all.length) : all.filter((line) => only.has(line));
  const work = lines.map(async (line) => {
    const why = await runLine({
      bureau,
      line,
      openPerLine,
      patienceMs: options.patienceSeconds * 1000,
      take: (name) => takeJob(bureau, pool, refusedJobs, name),
      nextFault,
      onRefused: (job, code) => {
        refused[code] = (refused[code] ?? 0) + 1;
        refusedJobs.set(job, code);
      },
      onCard: (result) => {
        cards[result] += 1;
      },
      onDoing: (doing, job) => activity.set(line, { doing, job, since: bureau.now() }),
    });
    activity.set(line, { doing: why, since: bureau.now() });
    ended[why] = (ended[why] ?? 0) + 1;
  });
  await Promise.all(work);
  await within(options.patienceSeconds * 1000, bureau.receipts.drained());
  const receiptsWaiting = bureau.store.receiptCounts().waiting;
  const seconds = Math.round(performance.now() - begun) / 1000;
  const summary = { ...cards, refused, receiptsWaiting, lines: ended, seconds };
  bureau.log.info(summary, "print call ended");
  return summary;
}

/** The card's number within this call decides; numbers are given in the order in which intents are written. */
function faultsInOrder(options: PrintOptions): () => InjectedFault {
  let ordinal = 0;
  return () => {
    ordinal += 1;
    if (options.loseReceipt.includes(ordinal)) return "lose-receipt";
    return options.spoil.includes(ordinal) ? "spoil" : undefined;
  };
}

/** First the job that already takes this line's slot at the force; then the next one that nobody has asked for. */
function takeJob(bureau: Bureau, pool: Pool, refusedJobs: ReadonlyMap<string, string>, line: string): Work {
  const { store } = bureau;
  for (const job of store.jobsOnLine(line)) {
    if (!isStuckOn(job, line)) continue;
    const run = pool.runOf.get(job.job);
    const code = refusedJobs.get(job.job);
    // The keyholder may have cancelled an attempt; that is no refusal of a further one.
    if (code !== undefined && job.state === "refused") return { why: code };
    return run === undefined ? { why: "no-open-run" } : { job, run };
  }
  for (let next = pool.fresh.next(); next.done !== true; next = pool.fresh.next()) {
    const job = store.job(next.value);
    const run = pool.runOf.get(next.value);
    if (job === undefined || run === undefined || job.attempts > 0 || refusedJobs.has(job.job)) continue;
    if (isAskable(job, line)) return { job, run };
  }
  return { why: "nothing-to-print" };
}

async function openRuns(bureau: Bureau, wanted: string | undefined) {
  const { desk, keys, signal } = bureau;
  const patience = { milliseconds: ASK_PATIENCE_MS, signal };
  const get = (path: string) => ({ method: "GET", path, key: keys.requests }) as const;
  const listed = await askPatiently(() => desk.call(get("/v1/runs"), runListSchema), patience);
  if (listed.kind !== "ok") throw notAnswered(listed);
  const open = listed.value.runs.filter(({ run }) => wanted === undefined || run === wanted);
  if (wanted !== undefined && open.length === 0) throw new BureauError("refused", "The force has no such open run");
  const runs: { run: string; order: string; jobs: string[] }[] = [];
  for (const { run } of open) {
    const answer = await askPatiently(() => desk.call(get(`/v1/runs/${run}`), runSchema), patience);
    if (answer.kind !== "ok") throw notAnswered(answer);
    runs.push(answer.value);
  }
  return runs;
}
