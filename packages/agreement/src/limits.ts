import { AgreementError } from "./agreement-error.ts";
import type { Agreement } from "./agreement-schema.ts";
import { parseExactSeconds } from "./iso-duration.ts";

export type Limits = {
  /** Releases a second, the refill of the burst; may be a fraction. */
  readonly ratePerSecond: number;
  /** Releases at once. */
  readonly burst: number;
  /** Jobs released to one line and not yet answered by a receipt. */
  readonly openPerLine: number;
  /** Distinct lines that the recipient may ever use; a line counts from its first reserved request. */
  readonly lines: number;
  /** Cards released and not yet scanned in at the force, over all lines. */
  readonly unaccounted: number;
  /** Releases of one job that need no person's approval. */
  readonly attempts: number;
  readonly receiptWithinSeconds: number;
  readonly orderExpiresAfterSeconds: number;
};

/**
 * An agreement's limits as plain numbers.
 * @throws AgreementError `no-limits` when the agreement has none, which no agreement over cards may.
 */
export const toLimits = ({ id, limits }: Agreement): Limits => {
  const receiptWithinSeconds = parseExactSeconds(limits?.receiptWithin ?? "");
  const orderExpiresAfterSeconds = parseExactSeconds(limits?.orderExpiresAfter ?? "");
  if (limits === undefined || receiptWithinSeconds === undefined || orderExpiresAfterSeconds === undefined)
    throw new AgreementError("no-limits", `agreement ${id} sets no limits, so nothing can be released under it`);
  return {
    ratePerSecond: limits.rate.perHour / 3_600,
    burst: limits.rate.burst,
    openPerLine: limits.openPerLine,
    lines: limits.lines,
    unaccounted: limits.unaccounted,
    attempts: limits.attempts,
    receiptWithinSeconds,
    orderExpiresAfterSeconds,
  };
};
