import type { Limits } from "@tipstaff/agreement";
import type { RefusalCode } from "@tipstaff/release-protocol";

/** Releases that a recipient may still have at once; `atMs` is when they were counted. */
export type TokenBucket = { readonly tokens: number; readonly atMs: number };

/** What else was released, as it counts for one release. */
export type ReleaseState = {
  readonly held: boolean;
  /** Another leaf of the same request has its outcome already. */
  readonly decidedBefore: boolean;
  /** The job's earlier releases, if any. */
  readonly job:
    | undefined
    | {
        readonly recipient: string;
        readonly order: string;
        readonly releases: number;
        readonly lastAttempt: number;
        readonly answered: boolean;
        readonly accounted: boolean;
      };
  /** A person approved this very attempt. */
  readonly approved: boolean;
  /** Other jobs of the recipient that this line has not answered by a receipt. */
  readonly openOnLine: number;
  /** Something was released to this line before. */
  readonly linePinned: boolean;
  /** Different lines to which the recipient was ever released anything. */
  readonly lines: number;
  readonly unaccounted: number;
  /** `undefined` before the recipient's first release. */
  readonly bucket: TokenBucket | undefined;
};

export type ReleaseClaim = { readonly recipient: string; readonly order: string; readonly attempt: number };

export type Charge =
  | { readonly ok: true; readonly bucket: TokenBucket }
  | { readonly ok: false; readonly code: RefusalCode };

/**
 * The desk counts exactly; a release comes here a little later, and several that it spread out may come together. So
 * much more than the burst is let through at once, in seconds of the rate.
 */
export const GRACE_SECONDS = 10;

const refuse = (code: RefusalCode): Charge => ({ ok: false, code });

/** Counts one release against its agreement's limits, or refuses it. */
export function chargeRelease(
  claim: ReleaseClaim,
  { state, limits, nowMs }: { state: ReleaseState; limits: Limits; nowMs: number },
): Charge {
  const { job } = state;
  if (state.held) return refuse("held");
  if (state.decidedBefore) return refuse("replayed");
  if (job !== undefined) {
    if (job.recipient !== claim.recipient || job.order !== claim.order) return refuse("unknown-job");
    if (job.answered || job.accounted) return refuse("already-answered");
    if (claim.attempt <= job.lastAttempt) return refuse("attempt-refused");
    if (job.releases >= limits.attempts && !state.approved) return refuse("attempt-refused");
  }
  if (!state.linePinned && state.lines >= limits.lines) return refuse("line-busy");
  if (state.openOnLine >= limits.openPerLine) return refuse("line-busy");
  if (job === undefined && state.unaccounted >= limits.unaccounted) return refuse("limit-reached");
  const bucket = refill(state.bucket, limits, nowMs);
  if (bucket.tokens < 1) return refuse("too-fast");
  return { ok: true, bucket: { tokens: bucket.tokens - 1, atMs: bucket.atMs } };
}

/** A clock that went back gives nothing; one agreement's smaller burst cuts down what another's left. */
function refill(bucket: TokenBucket | undefined, { ratePerSecond, burst }: Limits, nowMs: number): TokenBucket {
  const capacity = burst + ratePerSecond * GRACE_SECONDS;
  if (bucket === undefined) return { tokens: capacity, atMs: nowMs };
  const elapsedSeconds = Math.max(0, nowMs - bucket.atMs) / 1000;
  const tokens = Math.min(capacity, bucket.tokens + elapsedSeconds * ratePerSecond);
  return { tokens, atMs: Math.max(nowMs, bucket.atMs) };
}
