import type { ColumnMapping } from "./mapping.ts";
import {
  MAX_LENGTHS,
  type PersonDetails,
  POST_SENSITIVITIES,
  REGISTER_FIELDS,
  type RegisterField,
} from "./person-details.ts";

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

export type RowFault = { readonly line: number; readonly column: string; readonly reason: RowFaultReason };

export type CheckedRow =
  | { readonly ok: true; readonly details: PersonDetails }
  | {
      readonly ok: false;
      readonly faults: readonly RowFault[];
      /** The row's pay number where that cell at least is sound: its owner is in the extract, if badly. */
      readonly payNumber: string;
    };

export type RowChecker = (line: number, cells: readonly string[]) => CheckedRow;

const NUMBER = /^[A-Z0-9][A-Z0-9/.-]*$/;
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFD\uFEFF]/u;
const SPREADSHEET_ERROR = /^#(N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NULL!|NUM!|SPILL!|CALC!|####*)$/;
const NUMBERS: ReadonlySet<RegisterField> = new Set(["payNumber", "warrantNumber", "collarNumber"]);
const SENSITIVITY_WORDS: ReadonlyMap<string, PersonDetails["postSensitivity"]> = new Map(
  POST_SENSITIVITIES.map((one) => [one, one]),
);
const ROLE_WORDS: ReadonlyMap<string, PersonDetails["role"]> = new Map([
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
/** Ranks of the Police Act; where no column says so, they tell an officer. */
const OFFICER_RANK =
  /^(t\/|a\/|temporary |temp |acting )?(special |detective |chief |deputy |assistant |det )*(constable|sergeant|inspector|superintendent|commander|commissioner|pc|dc|ps|ds|di|dci|dsupt|dcs|insp|sgt|ch insp|supt|ch supt|acc|dcc|cc)\b/;

/** The checker of rows under one mapping. It keeps nothing between rows. */
export function createRowChecker(mapping: ColumnMapping, columns: number): RowChecker {
  const places = REGISTER_FIELDS.map((field) => toPlace(field, mapping));
  return (line, cells) => {
    if (cells.length !== columns) {
      const reason = cells.length > columns ? "too-many-cells" : "too-few-cells";
      return { ok: false, faults: [{ line, column: "", reason }], payNumber: "" };
    }
    const row = new Row(line);
    for (const place of places) row.read(place, cells);
    return row.check();
  };
}

type Place = {
  readonly field: RegisterField;
  readonly column: number;
  readonly header: string;
  readonly always: string;
};

function toPlace(field: RegisterField, mapping: ColumnMapping): Place {
  const source = mapping.fields.get(field);
  if (source === undefined) return { field, column: -1, header: field, always: "" };
  if ("always" in source) return { field, column: -1, header: field, always: source.always };
  return { field, column: source.column, header: source.header, always: "" };
}

class Row {
  readonly #line: number;
  readonly #faults: RowFault[] = [];
  readonly #values = new Map<RegisterField, string>();
  readonly #headers = new Map<RegisterField, string>();

  constructor(line: number) {
    this.#line = line;
  }

  #fault(field: RegisterField, reason: RowFaultReason): void {
    this.#faults.push({ line: this.#line, column: this.#headers.get(field) ?? field, reason });
  }

  read(place: Place, cells: readonly string[]): void {
    const { field } = place;
    this.#headers.set(field, place.header);
    const raw = place.column < 0 ? place.always : (cells[place.column] ?? "");
    const reason = refuseCell(field, raw);
    if (reason !== undefined) this.#fault(field, reason);
    this.#values.set(field, reason === undefined ? normaliseCell(field, raw) : "");
  }

  #has(field: RegisterField): boolean {
    const header = this.#headers.get(field) ?? field;
    return !this.#faults.some((fault) => fault.column === header);
  }

  #require(field: RegisterField): string {
    const value = this.#values.get(field) ?? "";
    if (value === "" && this.#has(field)) this.#fault(field, "missing");
    return value;
  }

  check(): CheckedRow {
    const value = (field: RegisterField): string => this.#values.get(field) ?? "";
    const payNumber = this.#require("payNumber");
    const surname = this.#require("surname");
    const forenames = this.#require("forenames");
    const rank = this.#require("rank");
    const sensitivity = SENSITIVITY_WORDS.get(this.#require("postSensitivity").toLowerCase());
    if (sensitivity === undefined && this.#has("postSensitivity")) {
      this.#fault("postSensitivity", "not-a-post-sensitivity");
    }
    const role = toRole(value("role"), rank, value("warrantNumber"));
    if (role === undefined && this.#has("role")) this.#fault("role", "not-officer-or-staff");
    if (role === "officer") this.#require("warrantNumber");
    if (this.#faults.length > 0 || sensitivity === undefined || role === undefined) {
      return { ok: false, faults: this.#faults, payNumber };
    }
    const details: PersonDetails = {
      payNumber,
      warrantNumber: value("warrantNumber"),
      collarNumber: value("collarNumber"),
      title: value("title"),
      forenames,
      surname,
      knownAs: value("knownAs"),
      rank,
      unit: value("unit"),
      postSensitivity: sensitivity,
      role,
      employedUntil: value("employedUntil"),
    };
    return { ok: true, details };
  }
}

function toRole(role: string, rank: string, warrantNumber: string): PersonDetails["role"] | undefined {
  if (role !== "") return ROLE_WORDS.get(role.toLowerCase());
  return warrantNumber !== "" || OFFICER_RANK.test(rank.toLowerCase()) ? "officer" : "staff";
}

/** Why no row can have this value in this field, where a mapping says it once for all; undefined where it can. */
export function refuseValue(field: RegisterField, value: string): RowFaultReason | undefined {
  const reason = refuseCell(field, value);
  const word = normaliseCell(field, value).toLowerCase();
  if (reason !== undefined || word === "") return reason;
  if (field === "postSensitivity" && !SENSITIVITY_WORDS.has(word)) return "not-a-post-sensitivity";
  return field === "role" && !ROLE_WORDS.has(word) ? "not-officer-or-staff" : undefined;
}

function refuseCell(field: RegisterField, raw: string): RowFaultReason | undefined {
  const text = squeeze(raw);
  if (text === "") return undefined;
  if (CONTROL.test(text)) return "control-character";
  if (SPREADSHEET_ERROR.test(text)) return "formula-error";
  if (text.length > MAX_LENGTHS[field]) return "too-long";
  if (NUMBERS.has(field) && !NUMBER.test(toNumber(text))) return "not-a-number-of-ours";
  if (field === "employedUntil" && parseDate(text) === undefined) return "not-a-date";
  return undefined;
}

function normaliseCell(field: RegisterField, raw: string): string {
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
