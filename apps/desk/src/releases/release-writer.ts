import type { RefusalCode } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import type { ReadAgreements } from "./agreements-in-use.ts";
import type { AskedRelease } from "./asked-release.ts";
import { createBatcher, gatherWhile } from "./batcher.ts";
import type { ReleaseRefusal, Tripwire } from "./decide-release.ts";
import { finishReleases } from "./finish-releases.ts";
import { placeHold } from "./place-hold.ts";
import { createRateWatch } from "./rate-watch.ts";
import { type Reservation, reserveReleases } from "./reserve-releases.ts";
import type { SignedAnswer } from "./signed-routes.ts";
import { toAnswer } from "./stored-outcome.ts";
import { toUndecided, type Undecided } from "./undecided.ts";
import { waitForOutcome } from "./wait-for-outcome.ts";
import { noteWaiting } from "./waiting-attempts.ts";

/** Most requests decided in one transaction. */
const MAX_BATCH = 256;
/** Releases under way from which on batches are gathered: more than a bureau of sixteen lines ever has. */
const BUSY = 20;
const BUSY_TRIES = 20;
const BUSY_PAUSE_MS = 10;
/** The longest that a bureau waits for an answer; the work goes on, and its retry finds the outcome. */
const ANSWER_TIMEOUT_MS = 20_000;

export type ReleaseWriter = {
  readonly ask: (asked: AskedRelease) => Promise<SignedAnswer>;
  /** So much is under way that fuller batches serve everybody sooner. */
  readonly isBusy: () => boolean;
};

/**
 * Decides what is asked, in one queue a recipient, and takes it to its outcome. While one batch waits for its checkpoint
 * the next is decided.
 */
export function createReleaseWriter(
  desk: Desk,
  { agreements, settle }: { agreements: ReadAgreements; settle: () => Promise<unknown> },
): ReleaseWriter {
  const watch = createRateWatch();
  const queues = new Map<string, (asked: AskedRelease) => Promise<Pending>>();
  const underWay = new Map<string, Promise<SignedAnswer>>();
  const isBusy = () => underWay.size >= BUSY;

  const work = async (recipient: string, asked: readonly AskedRelease[]): Promise<Pending[]> => {
    // Which of them are active still, the transaction checks; one that is activated this moment is read at its own.
    const known = await agreements();
    const isNew = asked.some(({ request }) => !known.byDigest.has(request.agreement));
    const { byDigest } = isNew ? await agreements("now") : known;
    const reservations = await reserveReleases(desk, { recipient, asked, agreements: byDigest });
    await holdWhereTripped(recipient, asked, reservations);
    return startFinishing(reservations, (reserved) => finish(desk, reserved, settle));
  };

  const holdWhereTripped = async (
    recipient: string,
    asked: readonly AskedRelease[],
    reservations: readonly Reservation[],
  ): Promise<void> => {
    for (const [at, one] of reservations.entries()) {
      const request = asked[at]?.request;
      if (one.kind !== "refused" || request === undefined) continue;
      const { code, words } = one.refusal;
      desk.log.info({ recipient, job: request.job, line: request.line, code, words }, "release refused");
      if (one.refusal.waitsForApproval) await noteWaiting(desk.pool, { ...request, at: desk.now() });
      const tripwire = one.refusal.tripwire ?? rateTripwire(one.refusal, { recipient, line: request.line });
      if (tripwire === undefined) continue;
      const detail = { line: request.line, ...(tripwire === "rate" ? {} : { job: request.job }) };
      await placeHold(desk, { recipient, reason: tripwire, detail, placedBy: null });
    }
  };

  const rateTripwire = (
    { code, retryAfterSeconds }: ReleaseRefusal,
    place: { recipient: string; line: string },
  ): Tripwire | undefined => {
    if (code !== "too-fast" || retryAfterSeconds === undefined) return undefined;
    return watch.note({ ...place, nowMs: desk.now().getTime(), retryAfterSeconds }) ? "rate" : undefined;
  };

  const queueOf = (recipient: string) => {
    const found = queues.get(recipient);
    if (found !== undefined) return found;
    const made = createBatcher({
      max: MAX_BATCH,
      gather: gatherWhile(isBusy),
      work: (asked: readonly AskedRelease[]) => work(recipient, asked),
    });
    queues.set(recipient, made);
    return made;
  };

  const decide = async (asked: AskedRelease): Promise<SignedAnswer> => {
    for (let tries = 0; tries < BUSY_TRIES; tries += 1) {
      const pending = await queueOf(asked.request.recipient)(asked);
      if (pending !== "busy") return pending === "known" ? waitForOutcome(desk, asked.identity) : pending.answer;
      await pause(BUSY_PAUSE_MS * (tries + 1));
    }
    return UNAVAILABLE;
  };

  return {
    isBusy,
    ask: (asked) => {
      const same = underWay.get(asked.identity);
      if (same !== undefined) return orUnavailable(same);
      const answer = decide(asked).finally(() => underWay.delete(asked.identity));
      underWay.set(asked.identity, answer);
      return orUnavailable(answer);
    },
  };
}

/** What a batch answers at once; `answer` comes when the release is decided. */
type Pending = { readonly answer: Promise<SignedAnswer> } | "busy" | "known";

const UNAVAILABLE: SignedAnswer = { refusal: "unavailable", retryAfterSeconds: 1 };

function startFinishing(
  reservations: readonly Reservation[],
  finishAll: (reserved: readonly Undecided[]) => Promise<Map<string, SignedAnswer>>,
): Pending[] {
  const reserved = reservations.flatMap((one) => (one.kind === "reserved" ? [toUndecided(one.release)] : []));
  const finishing = reserved.length === 0 ? Promise.resolve(new Map<string, SignedAnswer>()) : finishAll(reserved);
  return reservations.map((one) => {
    if (one.kind === "refused") return { answer: Promise.resolve(toRefusal(one.refusal)) };
    if (one.kind !== "reserved") return one.kind;
    return { answer: finishing.then((answers) => answers.get(one.release.identity) ?? UNAVAILABLE) };
  });
}

/** Never rejects: what could not be finished now is finished by the chore, and the bureau asks again. */
async function finish(
  desk: Desk,
  reserved: readonly Undecided[],
  settle: () => Promise<unknown>,
): Promise<Map<string, SignedAnswer>> {
  try {
    const decided = await finishReleases(desk, reserved, settle);
    return new Map(decided.map(({ release, outcome }) => [release.identity, toAnswer(outcome)]));
  } catch (error) {
    desk.log.warn({ err: error, releases: reserved.length }, "releases are not decided yet");
    return new Map();
  }
}

function toRefusal({ code, retryAfterSeconds }: ReleaseRefusal): SignedAnswer {
  const refusal: RefusalCode = code;
  return { refusal, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

function orUnavailable(answer: Promise<SignedAnswer>): Promise<SignedAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(UNAVAILABLE), ANSWER_TIMEOUT_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
