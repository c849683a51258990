import { chainNext, chainRestart, chainStart } from "@tipstaff/release-protocol";
import { CUSTODY_MOVES, mayMove, REVOCATION_REASONS } from "../cards/states.ts";
import { custodyAfter } from "../custody/custody-rules.ts";
import { refill, type TokenBucket } from "../releases/token-bucket.ts";
import { attemptKey, type CardRow, type JobRow, type KnownState, lineKey } from "./known-state.ts";
import type {
  ApprovedEvent,
  HandedOverEvent,
  HoldLiftedEvent,
  HoldPlacedEvent,
  LogEvent,
  Place,
  ReceiptEvent,
  ReleaseEvent,
  RestartEvent,
  RunClosedEvent,
} from "./log-events.ts";

export type RebuiltRelease = Omit<ReleaseEvent, "line"> & { readonly line: string | null };
export type RebuiltLine = { readonly recipient: string; readonly line: string; readonly chain: string };

/** Exactly what is to change in the database so that it says what the log says. */
export type Rebuild = {
  readonly releases: readonly RebuiltRelease[];
  readonly receipts: readonly ReceiptEvent[];
  /** Jobs as they are to be. */
  readonly jobs: readonly JobRow[];
  /** Those of them that the database does not know: they are counted, and never released again. */
  readonly stubs: readonly JobRow[];
  /** Jobs whose card was scanned in. */
  readonly scanned: readonly string[];
  readonly cards: readonly CardRow[];
  /** Cards that will never be, with why. */
  readonly voided: readonly { readonly card: string; readonly why: "spoiled" | "cancelled" }[];
  readonly lines: readonly RebuiltLine[];
  readonly buckets: ReadonlyMap<string, TokenBucket>;
  readonly approvals: readonly ApprovedEvent[];
  readonly restarts: readonly RestartEvent[];
  readonly runsClosed: readonly RunClosedEvent[];
  readonly holdsPlaced: readonly HoldPlacedEvent[];
  readonly holdsLifted: readonly HoldLiftedEvent[];
  /** Releases whose line nobody knows: that line's chain value may be behind, and then it stops at its next request. */
  readonly unplaced: readonly Place[];
  /** Entries of which nothing was rebuilt, by their kind. */
  readonly others: Readonly<Record<string, number>>;
};

/**
 * What follows for the desk's tables from entries that came back, in the order of the log. What the database has already
 * changes nothing, so that planning again after the plan was carried out plans nothing. A job that was released is
 * never left in a state from which it has a first attempt; a receipt is final; whatever was released counts as
 * unaccounted until the log says that it was scanned in, or that it was cancelled.
 */
export function planRebuild(events: readonly LogEvent[], known: KnownState): Rebuild {
  const draft = createDraft(known);
  for (const event of events) fold(draft, event);
  const jobs = [...draft.jobs.values()];
  return {
    ...draft.lists,
    jobs: jobs.filter(({ job }) => known.jobs.has(job)),
    stubs: jobs.filter(({ job }) => !known.jobs.has(job)),
    scanned: jobs.flatMap(({ job, scannedAt }) =>
      scannedAt !== null && (known.jobs.get(job)?.scannedAt ?? null) === null ? [job] : [],
    ),
    cards: [...draft.cards.values()].filter((card) => isChanged(card, known.cards.get(card.card))),
    lines: [...draft.lines.values()],
    buckets: draft.buckets,
    others: Object.fromEntries([...draft.others].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** What is planned so far. The maps hold what changed, and nothing else. */
type Draft = {
  readonly known: KnownState;
  readonly jobs: Map<string, JobRow>;
  readonly cards: Map<string, CardRow>;
  readonly lines: Map<string, RebuiltLine>;
  readonly buckets: Map<string, TokenBucket>;
  readonly others: Map<string, number>;
  readonly lists: {
    readonly releases: RebuiltRelease[];
    readonly receipts: ReceiptEvent[];
    readonly voided: { readonly card: string; readonly why: "spoiled" | "cancelled" }[];
    readonly approvals: ApprovedEvent[];
    readonly restarts: RestartEvent[];
    readonly runsClosed: RunClosedEvent[];
    readonly holdsPlaced: HoldPlacedEvent[];
    readonly holdsLifted: HoldLiftedEvent[];
    readonly unplaced: Place[];
  };
};

function createDraft(known: KnownState): Draft {
  const lists = {
    ...{ releases: [], receipts: [], voided: [], approvals: [], restarts: [] },
    ...{ runsClosed: [], holdsPlaced: [], holdsLifted: [], unplaced: [] },
  };
  const [jobs, cards, lines, buckets] = [new Map(), new Map(), new Map(), new Map()];
  return { known, lists, jobs, cards, lines, buckets, others: new Map() };
}

function fold(draft: Draft, event: LogEvent): void {
  if (event.kind === "release") foldRelease(draft, event);
  else if (event.kind === "receipt") foldReceipt(draft, event);
  else if (event.kind === "received") foldReceived(draft, event);
  else if (event.kind === "handed-over") foldHandOver(draft, event);
  else if (event.kind === "validity-changed") foldValidity(draft, event);
  else if (event.kind === "other") draft.others.set(event.of, (draft.others.get(event.of) ?? 0) + 1);
  else foldConsent(draft, event);
}

/** What people had decided: noted where the database does not know it. */
function foldConsent(
  draft: Draft,
  event: ApprovedEvent | RestartEvent | RunClosedEvent | HoldPlacedEvent | HoldLiftedEvent,
): void {
  const { known, lists } = draft;
  if (event.kind === "line-restarted") {
    if (!known.restarts.has(event.restart)) foldRestart(draft, event);
  } else if (event.kind === "attempt-approved") {
    const isNew = !known.approvals.has(attemptKey(event.job, event.attempt));
    if (isNew && known.jobs.has(event.job)) lists.approvals.push(event);
  } else if (event.kind === "run-closed") {
    if (known.openRuns.has(event.run)) lists.runsClosed.push(event);
  } else if (event.kind === "hold-placed") {
    if (!known.holds.has(event.hold)) lists.holdsPlaced.push(event);
  } else if (known.holds.get(event.hold) !== true) lists.holdsLifted.push(event);
}

function foldRelease(draft: Draft, event: ReleaseEvent): void {
  const { known, lists } = draft;
  if (known.releases.has(event.operation)) return;
  const job = jobFor(draft, event);
  const line = event.line ?? known.recalledLines.get(event.job) ?? job.line;
  lists.releases.push({ ...event, line });
  takePermit(draft, event);
  if (line === null) lists.unplaced.push({ index: event.index, operation: event.operation });
  else moveChain(draft, event, line);
  const isLatest = event.attempt >= job.attempt;
  const after = { ...job, line: line ?? job.line, attempt: Math.max(job.attempt, event.attempt) };
  const operation = isLatest ? event.operation : job.releaseOperation;
  draft.jobs.set(job.job, { ...after, releaseOperation: operation, ...outcomeOf(job, event) });
  const isOver = draft.jobs.get(job.job)?.state === "cancelled" && job.state !== "cancelled";
  if (isOver && job.card !== null) lists.voided.push({ card: job.card, why: "cancelled" });
}

/** A cancelled first attempt ends the job; a cancelled further one leaves it as released as it was. */
function outcomeOf(job: JobRow, { outcome, attempt, at, decidedAt }: ReleaseEvent): Partial<JobRow> {
  if (outcome === "cancelled" && attempt === 1 && job.releasedAt === null) return { state: "cancelled" };
  const releasedAt = outcome === "released" ? decidedAt : (job.releasedAt ?? at);
  return job.answered ? { releasedAt } : { state: "released", releasedAt };
}

function foldReceipt(draft: Draft, event: ReceiptEvent): void {
  const job = jobFor(draft, event);
  if (job.answered) return;
  const { attempt, result, blank, at } = event;
  draft.lists.receipts.push(event);
  draft.jobs.set(job.job, {
    ...asReleased(job, event),
    ...{ state: result, receiptAt: at, blank, answered: true },
    attempt: Math.max(job.attempt, attempt),
    line: job.line ?? event.line,
  });
  if (result === "spoiled" && job.card !== null) draft.lists.voided.push({ card: job.card, why: "spoiled" });
}

function foldReceived(draft: Draft, event: Extract<LogEvent, { kind: "received" }>): void {
  const job = jobFor(draft, event);
  if (job.scannedAt !== null) return;
  draft.jobs.set(job.job, { ...asReleased(job, event), scannedAt: event.at });
  const card = job.card === null ? undefined : cardOf(draft, job.card);
  if (card !== undefined && mayMove(CUSTODY_MOVES, card.custody, "station"))
    draft.cards.set(card.card, { ...card, custody: "station" });
}

/** A receipt, or a card that arrived, proves a release whose own entry is lost: the job has no first attempt any more. */
function asReleased(job: JobRow, { at }: { readonly at: string }): JobRow {
  if (job.releasedAt !== null) return job;
  return { ...job, state: job.answered ? job.state : "released", attempt: Math.max(1, job.attempt), releasedAt: at };
}

function foldHandOver(draft: Draft, { job }: HandedOverEvent): void {
  changeCard(draft, jobOf(draft, job)?.card, { validity: "active", custody: "holder" });
}

function foldValidity(draft: Draft, { card, to, reason }: Extract<LogEvent, { kind: "validity-changed" }>): void {
  const before = cardOf(draft, card);
  const known = REVOCATION_REASONS.find((one) => one === reason);
  if (before === undefined) return;
  const custody = custodyAfter(before.custody, known);
  changeCard(draft, card, { validity: to, custody, revokedReason: to === "revoked" ? (known ?? null) : null });
}

function foldRestart(draft: Draft, event: RestartEvent): void {
  const { recipient, line, restart } = event;
  draft.lists.restarts.push(event);
  draft.lines.set(lineKey(recipient, line), { recipient, line, chain: toHex(chainRestart(recipient, line, restart)) });
}

function changeCard(draft: Draft, card: string | null | undefined, change: Partial<CardRow>): void {
  const before = card ? cardOf(draft, card) : undefined;
  if (before !== undefined) draft.cards.set(before.card, { ...before, ...change });
}

const jobOf = ({ jobs, known }: Draft, job: string): JobRow | undefined => jobs.get(job) ?? known.jobs.get(job);
const cardOf = ({ cards, known }: Draft, card: string): CardRow | undefined => cards.get(card) ?? known.cards.get(card);

type Named = { readonly job: string; readonly recipient: string; readonly order: string; readonly agreement: string };

/** The job as it stands by now, or a stub of one that the database does not know. */
function jobFor(draft: Draft, event: Named): JobRow {
  const { job, recipient, order, agreement } = event;
  const found = jobOf(draft, job);
  if (found !== undefined) {
    const isNamed = found.logged === undefined || found.logged.order !== "" || order === "";
    return isNamed ? found : { ...found, logged: { order, agreement } };
  }
  return {
    ...{ job, recipient, logged: { order, agreement }, card: null, state: "sealed", attempt: 0, line: null },
    ...{ releaseOperation: null, releasedAt: null, receiptAt: null, scannedAt: null, blank: null, answered: false },
  };
}

/** Each request took one permit when it was reserved. Where nobody knows the agreement's rate any more none is left. */
function takePermit({ buckets, known }: Draft, { recipient, agreement, at }: ReleaseEvent): void {
  const now = new Date(at);
  const before = buckets.get(recipient) ??
    known.buckets.get(recipient) ?? { tokens: Number.POSITIVE_INFINITY, at: now };
  const limits = known.limits.get(agreement);
  const filled = limits === undefined ? { tokens: 0, at: now } : refill(before, limits, now);
  buckets.set(recipient, { ...filled, tokens: Math.max(0, filled.tokens - 1) });
}

function moveChain({ lines, known }: Draft, { recipient, previous, identity }: ReleaseEvent, line: string): void {
  const key = lineKey(recipient, line);
  const before = previous ?? lines.get(key)?.chain ?? known.lines.get(key) ?? toHex(chainStart(recipient, line));
  const chain = toHex(chainNext(Buffer.from(before, "hex"), Buffer.from(identity, "hex")));
  lines.set(key, { recipient, line, chain });
}

const isChanged = (card: CardRow, before: CardRow | undefined): boolean =>
  card.validity !== before?.validity || card.custody !== before.custody || card.revokedReason !== before.revokedReason;

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
