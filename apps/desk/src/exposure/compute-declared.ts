import { type ExposureWindow, GRADES } from "./compute-exposure.ts";
import { mergedHours, overlaps } from "./intervals.ts";
import { countByName, type Readings, sumReadings } from "./readings.ts";

/** One disclosure about one person that somebody declared. Milliseconds since 1970; `toMs` null: it has not ended. */
export type DeclaredDisclosure = {
  readonly pseudonym: string;
  readonly categories: readonly string[];
  readonly rank: string;
  readonly postSensitivity: string;
  readonly fromMs: number;
  readonly toMs: number | null;
};

export type DeclaredPerson = {
  readonly pseudonym: string;
  readonly grade: typeof GRADES.unproven;
  readonly rank: string;
  readonly postSensitivity: string;
  readonly categories: readonly string[];
  readonly firstDisclosedAtMs: number;
  readonly hours: Readings;
  /** Did the disclosure, by its declared end, reach into the window? */
  readonly inWindow: boolean;
};

/** Kept apart from everything that the ledger proves; `trusted` believes the declared ends, `untrusted` no end at all. */
export type DeclaredExposure = {
  readonly people: Readings;
  /** Of these, those who stand under a proven grade too. */
  readonly alsoProven: number;
  readonly byCategory: Readonly<Record<string, Readings>>;
  readonly byPostSensitivity: Readonly<Record<string, Readings>>;
  readonly byRank: Readonly<Record<string, Readings>>;
  readonly personHours: Readings;
  readonly rows: readonly DeclaredPerson[];
};

/** What was declared of a recipient for a window; `proven` are the pseudonyms of whom something was released. */
export function computeDeclared(
  disclosures: readonly DeclaredDisclosure[],
  window: ExposureWindow,
  proven: ReadonlySet<string>,
): DeclaredExposure {
  const before = disclosures.filter(({ fromMs }) => fromMs < window.toMs);
  const rows = [...Map.groupBy(before, ({ pseudonym }) => pseudonym).values()].map((own) => toPerson(own, window));
  const isInWindow = ({ inWindow }: DeclaredPerson) => inWindow;
  return {
    people: { trusted: rows.filter(isInWindow).length, untrusted: rows.length },
    alsoProven: rows.filter(({ pseudonym }) => proven.has(pseudonym)).length,
    byCategory: countByName(rows, ({ categories }) => categories, isInWindow),
    byPostSensitivity: countByName(rows, ({ postSensitivity }) => [postSensitivity], isInWindow),
    byRank: countByName(rows, ({ rank }) => [rank], isInWindow),
    personHours: sumReadings(rows, ({ hours }) => hours),
    rows,
  };
}

const NEVER = Number.POSITIVE_INFINITY;

function toPerson(own: readonly DeclaredDisclosure[], window: ExposureWindow): DeclaredPerson {
  const last = own.reduce((latest, one) => (one.fromMs > latest.fromMs ? one : latest));
  const believed = own.map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs ?? NEVER }));
  const unbelieved = own.map(({ fromMs }) => ({ fromMs, toMs: NEVER }));
  return {
    ...{ pseudonym: last.pseudonym, grade: GRADES.unproven, rank: last.rank, postSensitivity: last.postSensitivity },
    categories: [...new Set(own.flatMap(({ categories }) => categories))].sort(),
    firstDisclosedAtMs: Math.min(...own.map(({ fromMs }) => fromMs)),
    hours: { trusted: mergedHours(believed, window), untrusted: mergedHours(unbelieved, window) },
    inWindow: believed.some((interval) => overlaps(interval, window)),
  };
}
