import type { Retention } from "./agreement-schema.ts";
import { explainDuration } from "./iso-duration.ts";

/** `until the receipt is signed`, or `for at most 30 days`. */
export const explainRetention = (retention: Retention): string =>
  "until" in retention ? "until the receipt is signed" : `for at most ${explainDuration(retention.duration)}`;
