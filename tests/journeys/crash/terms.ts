import type { Terms } from "./observed.ts";

/** So that holds trip, and the cap on cards outside is felt, within a short run. */
export const TERMS: Terms & { receiptWithinSeconds: number } = {
  openPerLine: 1,
  unaccounted: 40,
  attempts: 2,
  receiptWithinSeconds: 8,
};
