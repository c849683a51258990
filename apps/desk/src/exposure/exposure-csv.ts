import type { ExposedPerson } from "./compute-exposure.ts";

const COLUMNS = [
  "pseudonym",
  "grade",
  "rank",
  "post sensitivity",
  "categories",
  "first released",
  "digital hours, receipts trusted",
  "digital hours, receipts not trusted",
  "physical hours",
] as const;

/** One line a person, under pseudonyms (RFC 4180). No cell can be taken for a formula. */
export function toExposureCsv(rows: readonly ExposedPerson[]): string {
  const lines = rows.map((row) => [
    row.pseudonym,
    row.grade,
    row.rank,
    row.postSensitivity,
    row.categories.join(" "),
    new Date(row.firstReleasedAtMs).toISOString(),
    row.digitalHours.trusted.toFixed(4),
    row.digitalHours.untrusted.toFixed(4),
    row.physicalHours.trusted.toFixed(4),
  ]);
  return [COLUMNS, ...lines].map((cells) => `${cells.map(toCell).join(",")}\r\n`).join("");
}

/** Spreadsheets take a cell that begins so for a formula; an apostrophe makes it text. */
const FORMULA = /^[=+\-@\t\r]/;

function toCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
