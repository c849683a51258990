/** Text of others in a terminal: a control character would move the cursor, or worse. */
const harmless = (cell: string) => cell.replaceAll(/\p{Cc}+/gu, " ");

/** Rows as lines with aligned columns under their headings; `none` where there is no row. */
export function toTable(headings: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  const all = [headings, ...rows.map((row) => row.map(harmless))];
  const widths = headings.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Counts by name in one line: `3 printed, 1 refused`; the zeros are left out. */
export function toCounts(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.length === 0 ? "none" : told.map(([name, count]) => `${count} ${harmless(name)}`).join(", ");
}
