/** A bucket of release permits: `tokens` stood in it at `at`. */
export type TokenBucket = { readonly tokens: number; readonly at: Date };
type Refill = { readonly ratePerSecond: number; readonly burst: number };

/** What stands in the bucket now: never above the burst, and a clock that went back refills nothing. */
export function refill(bucket: TokenBucket, { ratePerSecond, burst }: Refill, now: Date): TokenBucket {
  const elapsedSeconds = Math.max(0, now.getTime() - bucket.at.getTime()) / 1000;
  const at = now > bucket.at ? now : bucket.at;
  return { tokens: Math.min(burst, bucket.tokens + elapsedSeconds * ratePerSecond), at };
}

/** Takes one permit, or says after how many whole seconds there will be one. */
export function takeToken(
  bucket: TokenBucket,
  limits: Refill,
  now: Date,
): { ok: true; bucket: TokenBucket } | { ok: false; retryAfterSeconds: number } {
  const { tokens, at } = refill(bucket, limits, now);
  if (tokens >= 1) return { ok: true, bucket: { tokens: tokens - 1, at } };
  return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / limits.ratePerSecond)) };
}
