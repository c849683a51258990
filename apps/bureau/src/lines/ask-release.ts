import {
  lineSchema,
  type RefusalCode,
  type ReleaseAnswer,
  type ReleaseRequest,
  releaseAnswerSchema,
  releaseIdentity,
  releaseInfo,
} from "@tipstaff/release-protocol";
import { generateOneTimeKey, type OneTimeKey, openRelease } from "@tipstaff/sealing";
import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import type { DeskAnswer } from "../desk/desk-client.ts";
import { askPatiently, createPauses, isPassing, type Patience } from "../desk/patience.ts";
import type { OrderRecord } from "../store/order-statements.ts";
import { checkAnswer } from "./check-answer.ts";
import {
  beginRequest,
  type Flight,
  type JobRecord,
  type LineState,
  nextAttempt,
  settleFlight,
  type Verdict,
} from "./line-state.ts";

/** Refusals that time alone may turn: the same request is asked again while the patience lasts. */
const PASSES: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["held", "too-fast", "line-busy"]);
/** Refusals of this one job; the line goes on with others. Every other refusal is about the line, the run or the bureau. */
const OF_THE_JOB: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "withdrawn",
  "expired",
  "already-answered",
  "unknown-job",
  "not-in-run",
  "attempt-refused",
]);

export type Asked =
  | { readonly kind: "released"; readonly line: LineState; readonly job: JobRecord; readonly contentKey: Uint8Array }
  /** Not this job, now; the line may take another. */
  | { readonly kind: "refused"; readonly code: RefusalCode }
  /** Nothing more on this line, for now. */
  | { readonly kind: "idle"; readonly why: string };

export type Question = {
  readonly line: LineState;
  readonly job: JobRecord;
  readonly run: string;
  readonly order: OrderRecord;
  readonly patience: Patience;
};

/**
 * Asks for one job's key with a fresh one-time key, which lives in this call alone. The request in flight is durable before
 * it is sent, so that a crash is settled by the line's chain value at the force.
 */
export async function askRelease(bureau: Bureau, question: Question): Promise<Asked> {
  const key = await generateOneTimeKey();
  const request = toRequest(bureau, question, key);
  const identity = Buffer.from(releaseIdentity(request)).toString("hex");
  const { run, order } = question;
  const begun = beginRequest(question.line, question.job, { run, agreement: order.agreement, identity });
  if (!begun.ok) throw new BureauError("damaged", `A request cannot begin: ${begun.reason}`);
  const { line, job } = begun;
  const { flight } = line;
  if (flight === undefined) throw new BureauError("damaged", "A request that began has no flight");
  await bureau.store.write(() => {
    bureau.store.setLine(line);
    bureau.store.setJob(job);
  });
  const answer = await askUntilDecided(bureau, { request, flight, line, job, patience: question.patience });
  if (answer.kind !== "ok") return answer;
  const contentKey = await openAnswer(bureau, { answer: answer.value, flight, line: line.line, key });
  return contentKey === undefined
    ? { kind: "idle", why: "answer-refused" }
    : { kind: "released", line, job, contentKey };
}

function toRequest(bureau: Bureau, { line, job, run, order }: Question, key: OneTimeKey): ReleaseRequest {
  return {
    version: 1,
    recipient: bureau.settings.recipient,
    agreement: order.agreement,
    run,
    order: job.order,
    job: job.job,
    attempt: nextAttempt(job),
    line: line.line,
    previous: line.chain,
    key: Buffer.from(key.publicKey).toString("base64url"),
  };
}

type InFlight = {
  readonly request: ReleaseRequest;
  readonly flight: Flight;
  readonly line: LineState;
  readonly job: JobRecord;
  readonly patience: Patience;
};

/** The same identity, signed anew each time, until the desk has decided or the patience is over. */
async function askUntilDecided(
  bureau: Bureau,
  inFlight: InFlight,
): Promise<{ kind: "ok"; value: ReleaseAnswer } | Exclude<Asked, { kind: "released" }>> {
  const { desk, keys } = bureau;
  const pauses = createPauses(inFlight.patience);
  const call = { method: "POST", path: "/v1/releases", key: keys.requests, body: inFlight.request } as const;
  for (;;) {
    const answer = await desk.call(call, releaseAnswerSchema);
    if (answer.kind === "ok") return answer;
    const wait = () => pauses.next(answer.kind === "refused" ? answer.retryAfterSeconds : undefined);
    if (answer.kind === "unreachable" || isPassing(answer.code)) {
      if (await wait()) continue;
      // The request stays in flight: whether the force accepted it is asked before the line is used again.
      return { kind: "idle", why: answer.kind === "unreachable" ? answer.why : answer.code };
    }
    const settled = await settleRefused(bureau, inFlight, answer.code, wait);
    if (settled !== "ask-again") return settled;
  }
}

/**
 * A refusal may come from the desk, before anything was reserved, or from the keyholder, after the chain has moved: the
 * force's chain value tells which.
 */
async function settleRefused(
  bureau: Bureau,
  { line, job, flight, patience }: InFlight,
  code: RefusalCode,
  wait: () => Promise<boolean>,
): Promise<Exclude<Asked, { kind: "released" }> | "ask-again"> {
  const chain = await askChain(bureau, line.line, patience);
  if (chain.kind !== "ok") return { kind: "idle", why: chain.kind === "refused" ? chain.code : chain.why };
  if (PASSES.has(code) && chain.value === flight.previous && (await wait())) return "ask-again";
  const verdict = await writeSettled(
    bureau,
    { line, job },
    { chain: chain.value, code: OF_THE_JOB.has(code) ? code : undefined },
  );
  if (verdict === "forked") return { kind: "idle", why: "line-forked" };
  bureau.log.info({ line: line.line, job: job.job, attempt: flight.attempt, code, verdict }, "release refused");
  // The keyholder cancelled this attempt; whether there is a further one, the desk says.
  if (verdict === "accepted" || OF_THE_JOB.has(code)) return { kind: "refused", code };
  return { kind: "idle", why: code };
}

/** The line's chain value as the force knows it, hex. */
export async function askChain(bureau: Bureau, line: string, patience: Patience): Promise<DeskAnswer<string>> {
  const call = { method: "GET", path: `/v1/lines/${line}`, key: bureau.keys.requests } as const;
  const answer = await askPatiently(() => bureau.desk.call(call, lineSchema), patience);
  if (answer.kind !== "ok") return answer;
  return answer.value.line === line
    ? { kind: "ok", value: answer.value.chain }
    : { kind: "unreachable", why: "answer-malformed" };
}

/** Records what the force's chain value says about the request in flight; a fork stops the line for good. */
export async function writeSettled(
  { store, now, log }: Bureau,
  at: { line: LineState; job: JobRecord },
  told: Parameters<typeof settleFlight>[2],
): Promise<Verdict> {
  const settled = settleFlight(at.line, at.job, told);
  if (!settled.ok) throw new BureauError("damaged", "There is no request in flight to settle");
  await store.write(() => {
    store.setLine(settled.line);
    store.setJob(settled.job);
    if (settled.verdict !== "forked") return;
    store.insertAlarm(now(), { kind: "line-forked", line: at.line.line, job: at.job.job });
  });
  if (settled.verdict === "forked")
    log.error({ line: at.line.line }, "line forked: somebody else used it; it is stopped");
  return settled.verdict;
}

/** The content key, once everything about the answer is proved; `undefined`, and an alarm, where it is not. */
async function openAnswer(
  { settings, pins, readCheckpoint, store, now, log }: Bureau,
  told: { answer: ReleaseAnswer; flight: Flight; line: string; key: OneTimeKey },
): Promise<Uint8Array | undefined> {
  const { answer, flight, line, key } = told;
  const checked = checkAnswer(answer, {
    recipient: settings.recipient,
    job: flight.job,
    attempt: flight.attempt,
    identity: flight.identity,
    force: pins.force,
    readCheckpoint,
    origin: pins.log.name,
  });
  const alarm = async (fault: string): Promise<undefined> => {
    log.error({ line, job: flight.job, fault }, "release answer refused");
    await store.write(() => store.insertAlarm(now(), { kind: `answer-refused:${fault}`, line, job: flight.job }));
  };
  if (!checked.ok) return alarm(checked.fault);
  const info = releaseInfo({
    attempt: flight.attempt,
    identity: Buffer.from(flight.identity, "hex"),
    origin: answer.origin,
    index: answer.index,
    leafHash: checked.leafHash,
  });
  try {
    return await openRelease({ privateKey: key.privateKey, info, enc: checked.enc, sealed: checked.sealed });
  } catch {
    return alarm("sealed-key");
  }
}
