import { createHash } from "node:crypto";

/** Numbers that follow from a seed alone. One stream a purpose and person, so that one more column changes no other. */
export type RandomStream = {
  /** From 0 up to, not including, 1. */
  fraction(): number;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  pickWeighted<T extends { readonly weight: number }>(list: readonly T[]): T;
};

export function randomStream(...seed: readonly (string | number)[]): RandomStream {
  const digest = createHash("sha256").update(JSON.stringify(seed)).digest();
  let [a, b, c, d] = [digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), digest.readInt32LE(12) | 1];
  // Small fast counter (sfc32): quick and even, and nothing here is secret.
  const fraction = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(fraction() * list.length)];
    if (found === undefined) throw new RangeError("a list with something in it is required");
    return found;
  };
  return {
    fraction,
    between: (low, high) => low + Math.floor(fraction() * (high - low + 1)),
    chance: (share) => fraction() < share,
    pick,
    pickWeighted(list) {
      let left = fraction() * list.reduce((sum, { weight }) => sum + weight, 0);
      for (const item of list) {
        left -= item.weight;
        if (left < 0) return item;
      }
      return pick(list);
    },
  };
}
