import type { DeclaredPerson } from "./compute-declared.ts";
import type { ExposedPerson } from "./compute-exposure.ts";
import { UNOPENABLE, type UnopenableEntry } from "./count-unopenable.ts";

const COLUMNS = [
  "pseudonym",
  "grade",
  "rank",
  "post sensitivity",
  "categories",
  "first disclosed",
  "digital hours, receipts trusted",
  "digital hours, receipts not trusted",
  "physical hours",
] as const;

/**
 * One line for each person and grade, under pseudonyms (RFC 4180): those of whom something was released, then those of
 * whom something was declared, whose hours are the declared ones; then one line for each entry that nobody can open, which
 * names no pseudonym. No cell can be taken for a formula.
 */
export function toExposureCsv(
  rows: readonly ExposedPerson[],
  declared: readonly DeclaredPerson[] = [],
  unopenable: readonly UnopenableEntry[] = [],
): string {
  const proven = rows.map((row) => [
    ...toCells(row, row.firstReleasedAtMs),
    row.digitalHours.trusted.toFixed(4),
    row.digitalHours.untrusted.toFixed(4),
    row.physicalHours.trusted.toFixed(4),
  ]);
  const unproven = declared.map((row) => [
    ...toCells(row, row.firstDisclosedAtMs),
    row.hours.trusted.toFixed(4),
    row.hours.untrusted.toFixed(4),
    "",
  ]);
  const shut = unopenable.map(({ index, at }) => {
    const cells = [`entry ${index}`, UNOPENABLE, "", "", "", at?.toISOString() ?? ""];
    return [...cells, "", "", ""];
  });
  return [COLUMNS, ...proven, ...unproven, ...shut].map((cells) => `${cells.map(toCell).join(",")}\r\n`).join("");
}

function toCells(row: ExposedPerson | DeclaredPerson, firstAtMs: number): string[] {
  const { pseudonym, grade, rank, postSensitivity, categories } = row;
  return [pseudonym, grade, rank, postSensitivity, categories.join(" "), new Date(firstAtMs).toISOString()];
}

/** Spreadsheets take a cell that begins so for a formula; an apostrophe makes it text. */
const FORMULA = /^[=+\-@\t\r]/;

function toCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
