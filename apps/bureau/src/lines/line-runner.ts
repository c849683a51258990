import type { Bureau } from "../bureau.ts";
import { BureauError, isDiskFull } from "../bureau-error.ts";
import type { Patience } from "../desk/patience.ts";
import { askChain, askRelease, writeSettled } from "./ask-release.ts";
import { chainAfter, type JobRecord, type LineState } from "./line-state.ts";
import { type InjectedFault, type Opened, openSealedJob, printCard, type Sealed } from "./print-card.ts";
import { within } from "./within.ts";

/** What a line may do next. */
export type Work = { readonly job: JobRecord; readonly run: string } | { readonly why: string };

export type LineTask = {
  readonly bureau: Bureau;
  readonly line: string;
  /** Jobs released to one line and not yet answered. */
  readonly openPerLine: number;
  readonly patienceMs: number;
  readonly take: (line: string) => Work;
  readonly nextFault: () => InjectedFault;
  /** A job was refused, and is not to be taken again in this print call. */
  readonly onRefused: (job: string, code: string) => void;
  readonly onCard: (result: "produced" | "spoiled" | "uncertain") => void;
  readonly onDoing: (doing: string, job?: string) => void;
};

/** Works on one line until there is nothing to do or nothing can be done; answers why it stopped. Never hangs, never throws. */
export async function runLine(task: LineTask): Promise<string> {
  try {
    for (;;) {
      const why = await takeStep(task);
      if (why !== undefined) return why;
    }
  } catch (err) {
    if (err instanceof BureauError && err.code === "closed") return "closed";
    task.bureau.log.error({ err, line: task.line }, "line stopped by an error");
    return isDiskFull(err) ? "disk-full" : "failed";
  }
}

/** One job from end to end, or one obstacle out of the way; a text ends the line's work. */
async function takeStep(task: LineTask): Promise<string | undefined> {
  const { bureau } = task;
  if (bureau.signal.aborted) return "closed";
  const patience = { milliseconds: task.patienceMs, signal: bureau.signal };
  const line = bureau.store.line(task.line);
  if (line.stopped !== undefined) return line.stopped;
  if (line.flight !== undefined) return settleLeft(task, line, patience);
  const obstacle = await waitForSlot(task);
  if (obstacle !== undefined) return obstacle;
  const work = task.take(task.line);
  if ("why" in work) return work.why;
  return serveJob(task, { line, ...work, patience });
}

/** A request that an earlier life of this process, or of this line, left in flight: its one-time key is gone. */
async function settleLeft(task: LineTask, line: LineState, patience: Patience): Promise<string | undefined> {
  const { bureau } = task;
  task.onDoing("settling", line.flight?.job);
  const job = bureau.store.job(line.flight?.job ?? "");
  if (job === undefined) throw new BureauError("damaged", "The job of a request in flight is not in the store");
  const chain = await askChain(bureau, line.line, patience);
  if (chain.kind !== "ok") return chain.kind === "refused" ? chain.code : chain.why;
  const verdict = await writeSettled(bureau, { line, job }, { chain: chain.value });
  bureau.log.info({ line: line.line, job: job.job, verdict }, "request in flight settled");
  return undefined;
}

/** The agreement limits how many jobs may be open on a line; so the line waits for its receipts to be accepted. */
async function waitForSlot({ bureau, line, openPerLine, patienceMs, onDoing }: LineTask): Promise<string | undefined> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const open = bureau.store.openOn(line);
    if (open.unknown + open.waiting < openPerLine) return undefined;
    const sending = bureau.receipts.nextOn(line);
    if (open.waiting === 0 || sending === undefined) return open.unknown > 0 ? "jammed" : "receipt-waiting";
    onDoing("sending-receipt");
    const ended = await within(
      until - performance.now(),
      sending.then(() => true),
    );
    if (ended !== true) return "receipt-waiting";
  }
}

async function serveJob(
  task: LineTask,
  work: { line: LineState; job: JobRecord; run: string; patience: Patience },
): Promise<string | undefined> {
  const { bureau } = task;
  const { job } = work;
  // Before its key is asked for: what cannot be opened here must not be exposed for nothing.
  const sealed = await readSealed(task, work);
  if (sealed === undefined) return undefined;
  task.onDoing("asking", job.job);
  const asked = await askRelease(bureau, { ...work, order: sealed.order });
  if (asked.kind === "idle") return asked.why;
  if (asked.kind === "refused") {
    task.onRefused(job.job, asked.code);
    return undefined;
  }
  // While a run is printed, nothing is put together for a log that nobody asked for.
  const isTold = bureau.log.isLevelEnabled("debug");
  if (isTold) bureau.log.debug({ line: task.line, job: job.job, attempt: asked.line.flight?.attempt }, "job released");
  task.onDoing("printing", job.job);
  const opened = await openOrPark(task, sealed, asked);
  if (opened === undefined) return undefined;
  const printed = await printCard(bureau, { line: asked.line, job: asked.job, opened, nextFault: task.nextFault });
  const result = printed.kind === "jammed" ? "uncertain" : printed.receipt.result;
  if (isTold) bureau.log.debug({ line: task.line, job: job.job, result }, "job printed");
  task.onCard(result);
  if (printed.kind === "jammed") return undefined;
  // Not awaited: the slot is, before the next request.
  void bureau.receipts.deliver(printed.receipt);
  return undefined;
}

/** Nothing, and one alarm an order, where our copy of it is damaged: it is fetched again before the next print call. */
async function readSealed(
  { bureau, onRefused }: LineTask,
  { line, job }: { line: LineState; job: JobRecord },
): Promise<Sealed | undefined> {
  const { store, orderFiles, log, now } = bureau;
  const order = store.order(job.order);
  if (order === undefined) throw new BureauError("damaged", "A job's order is not in the store");
  const place = store.sealedPlace(job.job);
  try {
    return { order, place, ciphertext: await orderFiles.read(order, place) };
  } catch (err) {
    if (!(err instanceof BureauError)) throw err;
    log.error({ err, job: job.job, order: order.order }, "a job's ciphertext cannot be read");
    const alarm = { kind: "order-damaged", line: line.line, job: job.job };
    if (orderFiles.markDamaged(order)) await store.write(() => store.insertAlarm(now(), alarm));
    onRefused(job.job, "damaged");
    return undefined;
  }
}

/** Opens the job with its key, and forgets the key; a job that does not open is parked, with an alarm. */
async function openOrPark(
  task: LineTask,
  sealed: Sealed,
  released: { line: LineState; job: JobRecord; contentKey: Uint8Array },
): Promise<Opened | undefined> {
  const { bureau } = task;
  const { line, job, contentKey } = released;
  try {
    return openSealedJob(bureau, { job, sealed, contentKey });
  } catch (err) {
    bureau.log.error({ err, job: job.job }, "a released job does not open");
    const { store, now } = bureau;
    await store.write(() => store.insertAlarm(now(), { kind: "job-damaged", line: line.line, job: job.job }));
    if (line.flight === undefined) throw err;
    await writeSettled(bureau, { line, job }, { chain: chainAfter(line.flight), code: "damaged" });
    task.onRefused(job.job, "damaged");
    return undefined;
  } finally {
    contentKey.fill(0);
  }
}
