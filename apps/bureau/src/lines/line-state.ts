import { chainNext, chainRestart, type RefusalCode } from "@tipstaff/release-protocol";

/** A request that was or will be sent, and whose answer is not in the store yet. Digests in hex. */
export type Flight = {
  readonly job: string;
  readonly order: string;
  readonly run: string;
  readonly agreement: string;
  readonly attempt: number;
  readonly previous: string;
  readonly identity: string;
};

export type LineState = {
  readonly line: string;
  /** The last chain value that both sides know, hex. */
  readonly chain: string;
  readonly flight: Flight | undefined;
  /** Why this line may not be used any more. */
  readonly stopped: "line-forked" | undefined;
};

export type JobState = "fetched" | "requesting" | "intent" | "uncertain" | "produced" | "spoiled" | "refused";

/** Own codes beside the protocol's: the line was forked while the job was asked for, or our copy of it is damaged. */
export type JobCode = RefusalCode | "line-forked" | "damaged";

export type JobRecord = {
  readonly job: string;
  readonly order: string;
  readonly state: JobState;
  /** Why it is refused. */
  readonly code: JobCode | undefined;
  /** Attempts that the force has accepted, whether or not their answer arrived. */
  readonly attempts: number;
  /** The line of its accepted attempts: further ones belong there. */
  readonly line: string | undefined;
};

export type Moved = { readonly line: LineState; readonly job: JobRecord };
export type Refused<R extends string> = { readonly ok: false; readonly reason: R };
export type Step<T, R extends string> = ({ readonly ok: true } & T) | Refused<R>;

const refuse = <R extends string>(reason: R): Refused<R> => ({ ok: false, reason });

/** Refusals after which a job is never asked for again. */
const FINAL: ReadonlySet<JobCode> = new Set<JobCode>([
  "withdrawn",
  "expired",
  "already-answered",
  "unknown-job",
  "line-forked",
  "damaged",
]);

/** May this job be asked for on this line? */
export function isAskable(job: JobRecord, line: string): boolean {
  const isWaiting =
    job.state === "fetched" || (job.state === "refused" && job.code !== undefined && !FINAL.has(job.code));
  return isWaiting && (job.line === undefined || job.line === line);
}

/** A job whose key the force has given out and that has no receipt: it takes the line's slot, so it goes first. */
export function isStuckOn(job: JobRecord, line: string): boolean {
  return job.attempts > 0 && job.line === line && isAskable(job, line);
}

/** The next request of this job on this line; the caller adds the identity, which depends on it and on a fresh key. */
export function nextAttempt(job: JobRecord): number {
  return job.attempts + 1;
}

/** Before a request is sent for the first time. */
export function beginRequest(
  line: LineState,
  job: JobRecord,
  asked: Pick<Flight, "run" | "agreement" | "identity">,
): Step<Moved, "line-stopped" | "in-flight" | "not-askable"> {
  if (line.stopped !== undefined) return refuse("line-stopped");
  if (line.flight !== undefined) return refuse("in-flight");
  if (!isAskable(job, line.line)) return refuse("not-askable");
  const flight = { ...asked, job: job.job, order: job.order, attempt: nextAttempt(job), previous: line.chain };
  return { ok: true, line: { ...line, flight }, job: { ...job, state: "requesting", code: undefined } };
}

/** The line's chain value once the force has accepted the request in flight. */
export function chainAfter(flight: Pick<Flight, "previous" | "identity">): string {
  const next = chainNext(Buffer.from(flight.previous, "hex"), Buffer.from(flight.identity, "hex"));
  return Buffer.from(next).toString("hex");
}

/** What the force's chain value of the line says about the request in flight. */
export type Verdict = "accepted" | "not-accepted" | "forked";

/**
 * The force tells the line's chain value, and the key of the request in flight is gone, or the request was refused: its
 * attempt counts where the force accepted it, and not where it never did; any other value is somebody else's request.
 */
export function settleFlight(
  line: LineState,
  job: JobRecord,
  told: { readonly chain: string; readonly code?: JobCode | undefined },
): Step<Moved & { readonly verdict: Verdict }, "no-flight"> {
  const { flight } = line;
  if (flight === undefined || flight.job !== job.job) return refuse("no-flight");
  const freed: LineState = { ...line, flight: undefined };
  const after = (moved: Partial<JobRecord>): JobRecord => ({
    ...job,
    state: told.code === undefined ? "fetched" : "refused",
    code: told.code,
    ...moved,
  });
  if (told.chain === flight.previous) return { ok: true, verdict: "not-accepted", line: freed, job: after({}) };
  if (told.chain === chainAfter(flight)) {
    const used = after({ attempts: flight.attempt, line: line.line });
    return { ok: true, verdict: "accepted", line: { ...freed, chain: told.chain }, job: used };
  }
  const forked = after({ state: "refused", code: "line-forked" });
  return { ok: true, verdict: "forked", line: { ...freed, stopped: "line-forked" }, job: forked };
}

/**
 * The force restarted this stopped line: from now on its chain is the restart's. Refused while the value is any other,
 * since then nobody consented, or somebody has used the line since.
 */
export function takeOverRestart(
  line: LineState,
  told: { readonly recipient: string; readonly chain: string; readonly restart?: string | undefined },
): Step<{ readonly line: LineState }, "not-stopped" | "no-consent"> {
  if (line.stopped === undefined) return refuse("not-stopped");
  const { recipient, chain, restart } = told;
  if (restart === undefined) return refuse("no-consent");
  const consented = Buffer.from(chainRestart(recipient, line.line, restart)).toString("hex");
  if (chain !== consented) return refuse("no-consent");
  return { ok: true, line: { line: line.line, chain, flight: undefined, stopped: undefined } };
}

/** The key is here and verified: from now on a card may come out. Recorded before anything is sent to the printer. */
export function recordIntent(line: LineState, job: JobRecord): Step<Moved, "no-flight"> {
  const { flight } = line;
  if (flight === undefined || flight.job !== job.job || job.state !== "requesting") return refuse("no-flight");
  return {
    ok: true,
    line: { ...line, chain: chainAfter(flight), flight: undefined },
    job: { ...job, state: "intent", attempts: flight.attempt, line: line.line },
  };
}

export type Result = "produced" | "spoiled";

/** The printer said what became of the blank. */
export function recordOutcome(job: JobRecord, result: Result): Step<{ readonly job: JobRecord }, "no-intent"> {
  return job.state === "intent" ? { ok: true, job: { ...job, state: result } } : refuse("no-intent");
}

/** An intent whose outcome nobody recorded: the line jammed, or the bureau was ended in between. */
export function markUncertain(job: JobRecord): Step<{ readonly job: JobRecord }, "no-intent"> {
  return job.state === "intent" ? { ok: true, job: { ...job, state: "uncertain" } } : refuse("no-intent");
}

/** An operator has looked at the blank. */
export function resolveUncertain(job: JobRecord, result: Result): Step<{ readonly job: JobRecord }, "not-uncertain"> {
  return job.state === "uncertain" ? { ok: true, job: { ...job, state: result } } : refuse("not-uncertain");
}
