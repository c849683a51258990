import { CLAUSE_NAMES, type ClausePath } from "./clause-names.ts";
import { explainDuration, parseDuration } from "./iso-duration.ts";

export type Effect = "narrows" | "widens" | "neutral";

/** One difference between two agreements: where, what it does to what the recipient may, and in words which clause and how. */
export type Change = { readonly path: string; readonly effect: Effect; readonly words: string };

const became = (path: ClausePath, before: string | number, after: string | number): string =>
  `${CLAUSE_NAMES[path]}: ${before} becomes ${after}`;

/** A value that has no order: any difference has the given effect. */
export const compareText = (
  path: ClausePath,
  before: string | number,
  after: string | number,
  effect: Effect,
): Change[] => (before === after ? [] : [{ path, effect, words: became(path, before, after) }]);

/** A number of which more is wider. */
export const compareAmount = (path: ClausePath, before: number, after: number): Change[] =>
  compareText(path, before, after, after > before ? "widens" : "narrows");

/** A duration of which longer is wider; one that only the calendar could compare counts as longer. */
export const compareDuration = (path: ClausePath, before: string, after: string): Change[] => {
  if (before === after) return [];
  const words = became(path, explainDuration(before), explainDuration(after));
  return [{ path, effect: durationEffect(before, after), words }];
};

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
  readonly path: ClausePath;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** What one more member does; one less does the opposite. */
  readonly added: "widens" | "narrows";
};

/** Two sets of words, order and repetition aside. */
export const compareSets = ({ path, before, after, added }: Sets): Change[] => {
  const removed = added === "widens" ? "narrows" : "widens";
  const gone = [...new Set(before)].filter((one) => !after.includes(one));
  const come = [...new Set(after)].filter((one) => !before.includes(one));
  return [
    ...gone.map((one): Change => ({ path, effect: removed, words: `${CLAUSE_NAMES[path]}: ${one} is taken out` })),
    ...come.map((one): Change => ({ path, effect: added, words: `${CLAUSE_NAMES[path]}: ${one} is added` })),
  ];
};
