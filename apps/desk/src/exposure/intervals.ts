/** Half-open, in milliseconds; `toMs` may be infinite. */
export type Interval = { readonly fromMs: number; readonly toMs: number };

const MS_PER_HOUR = 3_600_000;

/** Do both hold some instant? An empty interval holds none. */
export function overlaps(a: Interval, b: Interval): boolean {
  return Math.max(a.fromMs, b.fromMs) < Math.min(a.toMs, b.toMs);
}

/** Hours of the window that at least one of the intervals covers. */
export function mergedHours(intervals: readonly Interval[], window: Interval): number {
  const clipped = intervals
    .map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, window.fromMs), toMs: Math.min(toMs, window.toMs) }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs);
  let [covered, reached] = [0, Number.NEGATIVE_INFINITY];
  for (const { fromMs, toMs } of clipped) {
    covered += Math.max(0, toMs - Math.max(fromMs, reached));
    reached = Math.max(reached, toMs);
  }
  return covered / MS_PER_HOUR;
}
