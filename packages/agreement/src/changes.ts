import { explainDuration, parseDuration } from "./iso-duration.ts";

export type Effect = "narrows" | "widens" | "neutral";

/** One difference between two agreements: where, what it does to what the recipient may, and how in words. */
export type Change = { readonly path: string; readonly effect: Effect; readonly words: string };

/** A value that has no order: any difference has the given effect. */
export const compareText = (path: string, before: string | number, after: string | number, effect: Effect): Change[] =>
  before === after ? [] : [{ path, effect, words: `${before} becomes ${after}` }];

/** A number of which more is wider. */
export const compareAmount = (path: string, before: number, after: number): Change[] =>
  compareText(path, before, after, after > before ? "widens" : "narrows");

/** A duration of which longer is wider; one that only the calendar could compare counts as longer. */
export const compareDuration = (path: string, before: string, after: string): Change[] =>
  before === after
    ? []
    : [
        {
          path,
          effect: durationEffect(before, after),
          words: `${explainDuration(before)} becomes ${explainDuration(after)}`,
        },
      ];

export const durationEffect = (before: string, after: string): Effect => {
  const old = parseDuration(before);
  const now = parseDuration(after);
  if (old === undefined || now === undefined || now.longestSeconds > old.shortestSeconds)
    return before === after ? "neutral" : "widens";
  return now.longestSeconds === old.shortestSeconds && old.shortestSeconds === old.longestSeconds
    ? "neutral"
    : "narrows";
};

type Sets = {
  readonly path: string;
  readonly noun: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** What one more member does; one less does the opposite. */
  readonly added: "widens" | "narrows";
};

/** Two sets of words, order and repetition aside. */
export const compareSets = ({ path, noun, before, after, added }: Sets): Change[] => {
  const removed = added === "widens" ? "narrows" : "widens";
  const gone = [...new Set(before)].filter((one) => !after.includes(one));
  const come = [...new Set(after)].filter((one) => !before.includes(one));
  return [
    ...gone.map((one): Change => ({ path, effect: removed, words: `${noun} ${one} is taken out` })),
    ...come.map((one): Change => ({ path, effect: added, words: `${noun} ${one} is added` })),
  ];
};
