import { type CategoryId, findCategory } from "@tipstaff/agreement";
import { ImportError } from "./import-error.ts";
import { isRegisterField, REGISTER_FIELDS, type RegisterField } from "./person-details.ts";
import type { ImportMapping } from "./read-mapping.ts";
import { FIELD_SYNONYMS, SECOND_CHOICES, WITHOUT_AUTHORITY } from "./synonyms.ts";

/** Where a register field comes from: a column (from 0), or one value for every row. */
export type FieldSource = { readonly column: number; readonly header: string } | { readonly always: string };

export type ColumnMapping = {
  readonly fields: ReadonlyMap<RegisterField, FieldSource>;
  readonly columnsNotStored: readonly { readonly name: string; readonly category: CategoryId }[];
  /** Columns that nobody can place; they are not stored either. */
  readonly columnsUnplaced: readonly string[];
};

const REQUIRED: readonly RegisterField[] = ["payNumber", "surname", "forenames", "rank", "postSensitivity"];

/** Lower case; letters and digits alone; brackets and currency signs gone; "No." and "Nr" as "no"; line numbers at the end dropped. */
export function normaliseHeader(header: string): string {
  return header
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/\((s|es)\)/g, "$1")
    .replace(/\(.*?\)/g, " ")
    .replace(/#/g, " no ")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .replace(/\b(num|nr|nbr)\b/g, "no")
    .trim()
    .replace(/ \d{1,2}$/, "");
}

const fieldByName = new Map<string, RegisterField>(
  REGISTER_FIELDS.flatMap((field) => [
    [field.toLowerCase(), field] as const,
    ...FIELD_SYNONYMS[field].map((name) => [name, field] as const),
  ]),
);
const secondChoiceByName = new Map(
  SECOND_CHOICES.flatMap(([field, category, names]) => names.map((name) => [name, { field, category }] as const)),
);
const categoryByName = new Map<string, CategoryId>(
  WITHOUT_AUTHORITY.flatMap(([category, names]) => names.map((name) => [name, category] as const)),
);

function categoryOf(header: string): CategoryId | undefined {
  const name = normaliseHeader(header);
  const known = categoryByName.get(name) ?? secondChoiceByName.get(name)?.category;
  if (known !== undefined) return known;
  const found = findCategory(header.trim());
  return found.ok ? found.category.id : undefined;
}

/**
 * Places each column of a header row: a register field, a category that the register has no authority to hold, or
 * unplaced. What the explicit mapping names comes first. Throws ImportError `bad-mapping`.
 */
export function mapColumns(headers: readonly string[], explicit?: ImportMapping): ColumnMapping {
  const fields = new Map<RegisterField, FieldSource>();
  const places = placeExplicit(headers, explicit, fields);
  placeByName({ headers, places, fields }, (name) => fieldByName.get(name));
  placeByName({ headers, places, fields }, (name) => secondChoiceByName.get(name)?.field);
  const columnsNotStored: { name: string; category: CategoryId }[] = [];
  const columnsUnplaced: string[] = [];
  headers.forEach((header, column) => {
    const place = places.get(column) ?? categoryOf(header) ?? "ignore";
    if (place === "field") return;
    const name = show(header) || `column ${column + 1}`;
    if (place === "ignore") columnsUnplaced.push(name);
    else columnsNotStored.push({ name, category: place });
  });
  refuseMissing(headers, fields);
  return { fields, columnsNotStored, columnsUnplaced };
}

type Place = "field" | "ignore" | CategoryId;
type Placing = {
  readonly headers: readonly string[];
  readonly places: Map<number, Place>;
  readonly fields: Map<RegisterField, FieldSource>;
};

/** Gives each field that is still free the one column whose name says so. */
function placeByName(placing: Placing, toField: (name: string) => RegisterField | undefined): void {
  const { headers, places, fields } = placing;
  const free = new Set(REGISTER_FIELDS.filter((field) => !fields.has(field)));
  headers.forEach((header, column) => {
    const field = toField(normaliseHeader(header));
    if (field === undefined || places.has(column) || !free.has(field)) return;
    const before = fields.get(field);
    if (before !== undefined && "header" in before) {
      const words = `Columns ${before.column + 1} ("${show(before.header)}") and ${column + 1} ("${show(header)}") both look like ${field}`;
      throw new ImportError("bad-mapping", `${words}. Say which in a mapping file (--mapping FILE).`);
    }
    fields.set(field, { column, header });
    places.set(column, "field");
  });
}

function placeExplicit(
  headers: readonly string[],
  explicit: ImportMapping | undefined,
  fields: Map<RegisterField, FieldSource>,
): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const [header, target] of explicit?.columns ?? []) {
    const column = headers.findIndex((one) => one.trim() === header.trim());
    if (column < 0) {
      throw new ImportError("bad-mapping", `The mapping names a column "${show(header)}" that the file does not have.`);
    }
    if (isRegisterField(target)) setOnce(fields, target, { column, header });
    places.set(column, isRegisterField(target) ? "field" : target);
  }
  for (const [field, value] of explicit?.always ?? []) setOnce(fields, field, { always: value });
  return places;
}

function setOnce(fields: Map<RegisterField, FieldSource>, field: RegisterField, source: FieldSource): void {
  if (fields.has(field)) throw new ImportError("bad-mapping", `The mapping names ${field} twice.`);
  fields.set(field, source);
}

function refuseMissing(headers: readonly string[], fields: ReadonlyMap<RegisterField, FieldSource>): void {
  const missing = REQUIRED.filter((field) => !fields.has(field));
  if (missing.length === 0) return;
  // A file without a header row has a person in its first line, so it is not echoed when it looks like one.
  const looks =
    fields.size === 0
      ? " Is its first row that of the headers?"
      : ` Its columns: ${headers.map((header) => show(header)).join(", ")}.`;
  const always = missing.includes("postSensitivity")
    ? ' When every post in it is ordinary, say so: `always: { postSensitivity: "ordinary" }`.'
    : "";
  const words = `The file has no column for ${missing.join(", ")}.${looks}`;
  throw new ImportError("bad-mapping", `${words} Name them in a mapping file (--mapping FILE).${always}`);
}

/** A header as it may be shown: short, one line. */
function show(header: string): string {
  const line = header.replace(/[\p{C}\s]+/gu, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
