import { type Agreement, isCategoryId, type Limits, may } from "@tipstaff/agreement";
import type { RefusalCode, ReleaseRequest } from "@tipstaff/release-protocol";
import type { JobState } from "../cards/states.ts";
import { type TokenBucket, takeToken } from "./token-bucket.ts";

/** All that a release is decided by. Bytes are hex, so that they compare. */
export type ReleaseState = {
  readonly now: Date;
  readonly job: ReleasableJob | undefined;
  readonly run: ReleaseRun | undefined;
  readonly agreement: AgreementInUse | undefined;
  /** `lines`: how many different ones it has used so far. */
  readonly recipient: { readonly bucket: TokenBucket; readonly unaccounted: number; readonly lines: number };
  readonly line: LineState;
  readonly held: boolean;
};

/** `pinned`: a request was reserved on it before. */
export type LineState = { readonly chain: string; readonly open: number; readonly pinned: boolean };

export type ReleasableJob = {
  readonly recipient: string;
  readonly order: string;
  readonly orderExpiresAt: Date;
  readonly agreementDigest: string;
  readonly state: JobState;
  readonly attempt: number;
  /** The line of the last attempt. */
  readonly line: string | null;
  readonly hasKey: boolean;
  readonly sealedRecordVersion: number;
  /** The person's record as it stands now; null when the person was erased. */
  readonly recordVersion: number | null;
  readonly categories: readonly string[];
  readonly hasReceipt: boolean;
  readonly attemptApproved: boolean;
};

export type ReleaseRun = {
  readonly recipient: string;
  readonly order: string;
  readonly open: boolean;
  readonly until: Date;
  readonly hasJob: boolean;
};

/** An agreement that was activated and not replaced. */
export type AgreementInUse = { readonly digest: string; readonly agreement: Agreement; readonly limits: Limits };

/** What reserving changes. */
export type ReleaseEffects = {
  readonly attempt: number;
  readonly bucket: TokenBucket;
  /** A further attempt is made in the same slot, so it adds to neither count. */
  readonly unaccountedMore: 0 | 1;
  readonly lineOpenMore: 0 | 1;
};

/** Signs that something is wrong at the recipient: releases are held and people look. */
export type Tripwire = "chain-broken" | "not-in-run" | "rate" | "receipt-overdue" | "conflicting-receipt";

export type ReleaseRefusal = {
  readonly ok: false;
  readonly code: RefusalCode;
  /** For the force alone. */
  readonly words: string;
  readonly tripwire?: Tripwire;
  readonly retryAfterSeconds?: number;
  /** A person may approve what was asked. */
  readonly waitsForApproval?: true;
};
export type ReleaseDecision = { readonly ok: true; readonly effects: ReleaseEffects } | ReleaseRefusal;

type Step = (
  request: ReleaseRequest,
  state: ReleaseState & { readonly job: ReleasableJob },
) => ReleaseRefusal | undefined;

const refuse = (code: RefusalCode, words: string, more: Partial<ReleaseRefusal> = {}): ReleaseRefusal => ({
  ok: false,
  code,
  words,
  ...more,
});

/**
 * May this job be released now, at this attempt, to this line? The first rule that says no is the answer. A retry of a
 * request that was reserved is no question for this function: its answer is kept.
 */
export function decideRelease(request: ReleaseRequest, state: ReleaseState): ReleaseDecision {
  const { job } = state;
  if (job === undefined || job.recipient !== request.recipient || job.order !== request.order)
    return refuse("unknown-job", "there is no such job in an order for this recipient");
  for (const step of STEPS) {
    const refusal = step(request, { ...state, job });
    if (refusal !== undefined) return refusal;
  }
  return takePermit(request, state, job);
}

const checkRun: Step = (request, { run, now }) => {
  if (run === undefined || run.recipient !== request.recipient || run.order !== request.order)
    return refuse("no-open-run", "the run that the request names is not one of this order");
  if (!run.open) return refuse("no-open-run", "the run is closed");
  if (now >= run.until) return refuse("no-open-run", "the run's time is over");
  if (!run.hasJob)
    return refuse("not-in-run", "the job is not among those that this run opens", { tripwire: "not-in-run" });
  return undefined;
};

const checkAgreement: Step = (request, { agreement, job, now }) => {
  const no = (words: string) => refuse("agreement-not-in-force", words);
  if (request.agreement !== job.agreementDigest) return no("the request names another agreement than the order's");
  if (agreement === undefined || agreement.digest !== job.agreementDigest)
    return no("the order's agreement is not active any more");
  for (const category of job.categories) {
    if (!isCategoryId(category)) return no("the job holds a category that nobody knows");
    // Whose data it is, the keyholder checks: the desk does not know a person's post sensitivity without opening it.
    const question = { agreement: agreement.agreement, recipient: request.recipient, category, at: now };
    const answer = may({ ...question, subject: "unknown" });
    if (!answer.ok) return no(`${answer.clause.path}: ${answer.clause.words}`);
  }
  return undefined;
};

const checkRecord: Step = (_request, { job }) => {
  if (job.hasReceipt || job.state === "produced" || job.state === "spoiled")
    return refuse("already-answered", "the job has its receipt");
  if (job.state === "expired") return refuse("expired", "the job expired with its order");
  if (job.state === "cancelled") return refuse("withdrawn", "the job was cancelled");
  if (job.recordVersion === null) return refuse("withdrawn", "the person was erased");
  if (job.recordVersion !== job.sealedRecordVersion)
    return refuse("withdrawn", "the person's record changed after the job was sealed");
  return undefined;
};

const checkOrder: Step = (_request, { job, now }) =>
  now >= job.orderExpiresAt ? refuse("expired", "the order expired") : undefined;

const checkKey: Step = (_request, { job }) =>
  job.hasKey ? undefined : refuse("withdrawn", "the job's key is deleted");

const checkHold: Step = (_request, { held }) =>
  held ? refuse("held", "releases to this recipient are held") : undefined;

const checkLine: Step = (request, { line, agreement, job }) => {
  if (line.chain !== request.previous) {
    const words = "the line's chain value is another one: somebody else uses the line, or history was lost";
    return refuse("chain-broken", words, { tripwire: "chain-broken" });
  }
  if (job.state === "reserved" || job.state === "logged")
    return refuse("line-busy", "an earlier request for this job is not decided yet");
  const inSlot = job.state === "released" && job.line === request.line;
  const open = line.open - (inSlot ? 1 : 0);
  if (agreement !== undefined && open >= agreement.limits.openPerLine)
    return refuse("line-busy", `the line has ${open} jobs without a receipt, and may have no more`);
  return undefined;
};

/** Whoever could use a new line for each request would never meet the limit of open jobs on one. */
const checkLines: Step = (_request, { recipient, line, agreement }) => {
  if (agreement === undefined || line.pinned || recipient.lines < agreement.limits.lines) return undefined;
  const words = `the recipient has used ${recipient.lines} lines, and may use no other`;
  return refuse("line-busy", words, { tripwire: "chain-broken" });
};

const checkUnaccounted: Step = (_request, { recipient, agreement, job }) => {
  // A further attempt is for a card that is counted already.
  if (agreement === undefined || job.state === "released") return undefined;
  return recipient.unaccounted >= agreement.limits.unaccounted
    ? refuse("limit-reached", `${recipient.unaccounted} cards are not scanned in yet, and no more may be out`)
    : undefined;
};

const checkAttempt: Step = (request, { job, agreement }) => {
  const no = (words: string) => refuse("attempt-refused", words);
  if (request.attempt !== job.attempt + 1) return no(`the next attempt of this job is ${job.attempt + 1}`);
  if (job.attempt === 0)
    return job.state === "sealed" ? undefined : no(`a job that is ${job.state} has no first attempt`);
  if (job.state !== "released") return no(`a job that is ${job.state} has no further attempt`);
  if (job.line !== request.line) return no("a further attempt belongs to the line of the first");
  if (agreement !== undefined && request.attempt > agreement.limits.attempts && !job.attemptApproved)
    return {
      ...no(`attempt ${request.attempt} needs a person's approval: releases approve`),
      waitsForApproval: true,
    };
  return undefined;
};

const STEPS: readonly Step[] = [
  checkRun,
  checkAgreement,
  checkRecord,
  checkOrder,
  // After the order: an expired one has deleted its jobs' keys.
  checkKey,
  checkHold,
  checkLines,
  checkLine,
  checkUnaccounted,
  checkAttempt,
];

/** The rate comes last, so that a request which is refused anyway uses no permit. */
function takePermit(request: ReleaseRequest, state: ReleaseState, job: ReleasableJob): ReleaseDecision {
  if (state.agreement === undefined) return refuse("agreement-not-in-force", "there is no agreement");
  const taken = takeToken(state.recipient.bucket, state.agreement.limits, state.now);
  if (!taken.ok) {
    const { retryAfterSeconds } = taken;
    return refuse("too-fast", "the agreement's rate is used up", { retryAfterSeconds });
  }
  const more = job.state === "released" ? 0 : 1;
  return {
    ok: true,
    effects: { attempt: request.attempt, bucket: taken.bucket, unaccountedMore: more, lineOpenMore: more },
  };
}
