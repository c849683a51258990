import { normaliseCell, ROLE_WORDS, type RowFaultReason, refuseCell, SENSITIVITY_WORDS } from "./cell-rules.ts";
import type { ColumnMapping } from "./mapping.ts";
import { type PersonDetails, REGISTER_FIELDS, type RegisterField } from "./person-details.ts";

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
