const WINDOW_MS = 60_000;
/** A bureau's clock and ours, and the way between, differ by this much at most. */
const GRACE_MS = 250;
/** So many requests in a minute that came before the time they were told are no accident. */
export const MAX_EARLY = 20;

export type RateWatch = {
  /** Notes that a line was told to come back later; true when the recipient does not heed what it is told. */
  readonly note: (asked: { recipient: string; line: string; nowMs: number; retryAfterSeconds: number }) => boolean;
};

/** Watches for recipients that ask on although they were told when to come back. */
export function createRateWatch(): RateWatch {
  const told = new Map<string, number>();
  const early = new Map<string, number[]>();
  return {
    note: ({ recipient, line, nowMs, retryAfterSeconds }) => {
      const key = `${recipient} ${line}`;
      const since = told.get(key) ?? Number.NEGATIVE_INFINITY;
      const times = (early.get(recipient) ?? []).filter((at) => at > nowMs - WINDOW_MS);
      if (nowMs < since - GRACE_MS) times.push(nowMs);
      else told.set(key, nowMs + retryAfterSeconds * 1000);
      const tripped = times.length > MAX_EARLY;
      early.set(recipient, tripped ? [] : times);
      return tripped;
    },
  };
}
