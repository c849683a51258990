import { MAX_LENGTHS, type PersonDetails, POST_SENSITIVITIES, type RegisterField } from "./person-details.ts";

/** Why a cell is refused. Closed, and free of what the cell holds. */
export type RowFaultReason =
  | "missing"
  | "too-long"
  | "control-character"
  | "not-a-number-of-ours"
  | "not-a-date"
  | "not-a-post-sensitivity"
  | "not-officer-or-staff"
  | "formula-error"
  | "too-many-cells"
  | "too-few-cells"
  | "twice-in-file"
  | "held-by-another-person";

const NUMBER = /^[A-Z0-9][A-Z0-9/.-]*$/;
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFD\uFEFF]/u;
const SPREADSHEET_ERROR = /^#(N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NULL!|NUM!|SPILL!|CALC!|####*)$/;
const NUMBERS: ReadonlySet<RegisterField> = new Set(["payNumber", "warrantNumber", "collarNumber"]);
export const SENSITIVITY_WORDS: ReadonlyMap<string, PersonDetails["postSensitivity"]> = new Map(
  POST_SENSITIVITIES.map((one) => [one, one]),
);
export const ROLE_WORDS: ReadonlyMap<string, PersonDetails["role"]> = new Map([
  ["officer", "officer"],
  ["police officer", "officer"],
  ["constable", "officer"],
  ["special", "officer"],
  ["special constable", "officer"],
  ["o", "officer"],
  ["staff", "staff"],
  ["police staff", "staff"],
  ["civilian", "staff"],
  ["civilian staff", "staff"],
  ["pcso", "staff"],
  ["s", "staff"],
]);

/** Why no row can have this value in this field, where a mapping says it once for all; undefined where it can. */
export function refuseValue(field: RegisterField, value: string): RowFaultReason | undefined {
  const reason = refuseCell(field, value);
  const word = normaliseCell(field, value).toLowerCase();
  if (reason !== undefined || word === "") return reason;
  if (field === "postSensitivity" && !SENSITIVITY_WORDS.has(word)) return "not-a-post-sensitivity";
  return field === "role" && !ROLE_WORDS.has(word) ? "not-officer-or-staff" : undefined;
}

export function refuseCell(field: RegisterField, raw: string): RowFaultReason | undefined {
  const text = squeeze(raw);
  if (text === "") return undefined;
  if (CONTROL.test(text)) return "control-character";
  if (SPREADSHEET_ERROR.test(text)) return "formula-error";
  if (text.length > MAX_LENGTHS[field]) return "too-long";
  if (NUMBERS.has(field) && !NUMBER.test(toNumber(text))) return "not-a-number-of-ours";
  if (field === "employedUntil" && parseDate(text) === undefined) return "not-a-date";
  return undefined;
}

export function normaliseCell(field: RegisterField, raw: string): string {
  const text = squeeze(raw);
  if (NUMBERS.has(field)) return toNumber(text);
  if (field === "employedUntil") return parseDate(text) ?? "";
  return text;
}

/** Numbers are compared without spaces and in capitals; leading zeros belong to them. */
export function toNumber(text: string): string {
  return text.replace(/\s+/g, "").toUpperCase();
}

/** One line, single spaces, composed letters (NFC): the same name typed in two ways is the same. */
function squeeze(raw: string): string {
  const text = /[\s]{2}|[^\S ]/.test(raw) ? raw.replace(/[\s\u00a0]+/g, " ") : raw;
  return text.normalize("NFC").trim();
}

/** ISO date of `yyyy-mm-dd` or `dd/mm/yyyy`; undefined for any other text and for days that do not exist. */
export function parseDate(text: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?$/.exec(text);
  const uk = iso === null ? /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) : null;
  const [year, month, day] = iso !== null ? [iso[1], iso[2], iso[3]] : uk !== null ? [uk[3], uk[2], uk[1]] : [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const at = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date ? undefined : date;
}
