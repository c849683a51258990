import { type Interval, mergedHours, overlaps } from "./intervals.ts";
import { countByName, type Readings, sumReadings } from "./readings.ts";

/** One job's key that left, as the ledger tells it. Instants are milliseconds since 1970; `null` has not happened. */
export type Disclosure = {
  readonly pseudonym: string;
  readonly job: string;
  readonly categories: readonly string[];
  readonly rank: string;
  readonly postSensitivity: string;
  readonly releasedAtMs: number;
  /** The recipient's word. */
  readonly receiptAtMs: number | null;
  /** The force's own observation. */
  readonly scannedAtMs: number | null;
};

/** Half-open: `fromMs` is inside, `toMs` is not. */
export type ExposureWindow = { readonly fromMs: number; readonly toMs: number };

export const GRADES = {
  inClear: "in clear in that window",
  destroyed: "declared destroyed before, by signed receipt",
  neverReleased: "never released",
  unproven: "declared, unproven",
} as const;
export type Grade = (typeof GRADES)[keyof typeof GRADES];

export type ExposedPerson = {
  readonly pseudonym: string;
  readonly grade: Grade;
  readonly rank: string;
  readonly postSensitivity: string;
  readonly categories: readonly string[];
  readonly firstReleasedAtMs: number;
  readonly digitalHours: Readings;
  readonly physicalHours: Readings;
  /** Anything in clear, digital or physical, with receipts trusted. */
  readonly hoursInClear: number;
};

export type Exposure = {
  /** Whose data the recipient had in clear, or could have had: receipts not trusted. */
  readonly people: number;
  readonly readings: { readonly people: Readings };
  readonly grades: Readonly<Record<Grade, number>>;
  readonly byCategory: Readonly<Record<string, Readings>>;
  readonly byPostSensitivity: Readonly<Record<string, Readings>>;
  readonly byRank: Readonly<Record<string, Readings>>;
  readonly personHoursInClear: number;
  readonly personHours: { readonly digital: Readings; readonly physical: Readings };
  readonly rows: readonly ExposedPerson[];
};

/**
 * What a recipient had in clear, or could have had, in a window. Digital exposure runs from release to receipt, and
 * without end where receipts are not trusted; physical exposure runs until the force scanned the card in, whatever any
 * receipt says. A person who was in clear twice at once counts once. `others` are people of whom nothing was released, and
 * those of whom something was declared; the same person may be among these and among the released.
 */
export function computeExposure(
  disclosures: readonly Disclosure[],
  window: ExposureWindow,
  others: { readonly neverReleased: number; readonly unproven: number },
): Exposure {
  const before = disclosures.filter(({ releasedAtMs }) => releasedAtMs < window.toMs);
  const rows = [...Map.groupBy(before, ({ pseudonym }) => pseudonym).values()].map((own) => toPerson(own, window));
  const inClear = rows.filter(({ grade }) => grade === GRADES.inClear).length;
  return {
    people: rows.length,
    readings: { people: { trusted: inClear, untrusted: rows.length } },
    grades: {
      [GRADES.inClear]: inClear,
      [GRADES.destroyed]: rows.length - inClear,
      [GRADES.neverReleased]: others.neverReleased,
      [GRADES.unproven]: others.unproven,
    },
    byCategory: countBy(rows, ({ categories }) => categories),
    byPostSensitivity: countBy(rows, ({ postSensitivity }) => [postSensitivity]),
    byRank: countBy(rows, ({ rank }) => [rank]),
    personHoursInClear: sum(rows, ({ hoursInClear }) => hoursInClear),
    personHours: {
      digital: sumReadings(rows, ({ digitalHours }) => digitalHours),
      physical: sumReadings(rows, ({ physicalHours }) => physicalHours),
    },
    rows,
  };
}

const NEVER = Number.POSITIVE_INFINITY;

function toPerson(own: readonly Disclosure[], window: ExposureWindow): ExposedPerson {
  const last = own.reduce((latest, one) => (one.releasedAtMs > latest.releasedAtMs ? one : latest));
  const until = (end: (one: Disclosure) => number | null): Interval[] =>
    own.map((one) => ({ fromMs: one.releasedAtMs, toMs: end(one) ?? NEVER }));
  const [believed, unbelieved] = [until(({ receiptAtMs }) => receiptAtMs), until(() => null)];
  const physical = until(({ scannedAtMs }) => scannedAtMs);
  const physicalHours = mergedHours(physical, window);
  return {
    pseudonym: last.pseudonym,
    grade: believed.some((interval) => overlaps(interval, window)) ? GRADES.inClear : GRADES.destroyed,
    rank: last.rank,
    postSensitivity: last.postSensitivity,
    categories: [...new Set(own.flatMap(({ categories }) => categories))].sort(),
    firstReleasedAtMs: Math.min(...own.map(({ releasedAtMs }) => releasedAtMs)),
    digitalHours: { trusted: mergedHours(believed, window), untrusted: mergedHours(unbelieved, window) },
    physicalHours: { trusted: physicalHours, untrusted: physicalHours },
    hoursInClear: mergedHours([...believed, ...physical], window),
  };
}

const countBy = (rows: readonly ExposedPerson[], namesOf: (row: ExposedPerson) => readonly string[]) =>
  countByName(rows, namesOf, ({ grade }) => grade === GRADES.inClear);

function sum(rows: readonly ExposedPerson[], hoursOf: (row: ExposedPerson) => number): number {
  return rows.reduce((total, row) => total + hoursOf(row), 0);
}
