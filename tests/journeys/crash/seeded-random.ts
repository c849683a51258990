import { createHash } from "node:crypto";

/** Numbers that the seed alone decides, so that a round that failed can be run again. */
export type SeededRandom = {
  /** A whole number from 0 to below `bound`. */
  readonly below: (bound: number) => number;
  readonly chance: (probability: number) => boolean;
  /** One of the names, as often as its weight says. */
  readonly pick: <T extends string>(weights: Readonly<Record<T, number>>) => T;
};

export function seededRandom(seed: string): SeededRandom {
  let counter = 0;
  const unit = () => {
    const digest = createHash("sha256").update(`${seed}/${counter}`).digest();
    counter += 1;
    return digest.readUInt32BE(0) / 2 ** 32;
  };
  return {
    below: (bound) => Math.floor(unit() * bound),
    chance: (probability) => unit() < probability,
    pick: <T extends string>(weights: Readonly<Record<T, number>>) => {
      const names = Object.keys(weights).filter((name): name is T => Object.hasOwn(weights, name));
      let left = unit() * names.reduce((sum, name) => sum + weights[name], 0);
      for (const name of names) {
        left -= weights[name];
        if (left < 0) return name;
      }
      throw new Error("no weight is above zero");
    },
  };
}
