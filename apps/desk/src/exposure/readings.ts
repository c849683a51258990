/** Two readings of the same facts: the recipient's word believed, and not. */
export type Readings = { readonly trusted: number; readonly untrusted: number };

/** How many rows bear each name, in the order of names; `trusted` counts those that `isTrusted` still counts. */
export function countByName<Row>(
  rows: readonly Row[],
  namesOf: (row: Row) => readonly string[],
  isTrusted: (row: Row) => boolean,
): Record<string, Readings> {
  const counts = new Map<string, { trusted: number; untrusted: number }>();
  for (const row of rows) {
    for (const name of namesOf(row)) {
      const count = counts.get(name) ?? { trusted: 0, untrusted: 0 };
      count.untrusted += 1;
      if (isTrusted(row)) count.trusted += 1;
      counts.set(name, count);
    }
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sumReadings<Row>(rows: readonly Row[], hoursOf: (row: Row) => Readings): Readings {
  let [trusted, untrusted] = [0, 0];
  for (const row of rows) {
    const hours = hoursOf(row);
    trusted += hours.trusted;
    untrusted += hours.untrusted;
  }
  return { trusted, untrusted };
}
