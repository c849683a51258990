import { readFile, stat } from "node:fs/promises";
import { type CategoryId, findCategory } from "@tipstaff/agreement";
import { parseDocument } from "yaml";
import { z } from "zod";
import { refuseValue } from "./cell-rules.ts";
import { ImportError } from "./import-error.ts";
import { REGISTER_FIELDS, type RegisterField } from "./person-details.ts";

/** What an operator says about the columns of an extract. */
export type ImportMapping = {
  /** Header → register field, category that is not stored, or "ignore". */
  readonly columns: ReadonlyMap<string, RegisterField | CategoryId | "ignore">;
  /** Fields with one value for every row. */
  readonly always: ReadonlyMap<RegisterField, string>;
};

const MAX_MAPPING_BYTES = 256 * 1024;
const fieldSchema = z.enum(REGISTER_FIELDS);
const fileSchema = z.strictObject({
  columns: z.record(z.string().min(1).max(500), z.string().max(200)).optional(),
  always: z.partialRecord(fieldSchema, z.string().max(200)).optional(),
});

/**
 * Reads a mapping file, YAML or JSON: `columns: { "Pay No": payNumber, "Shirt size": ignore }`, `always: {…}`.
 * Throws ImportError `bad-mapping` that names every fault.
 */
export async function readMapping(path: string): Promise<ImportMapping> {
  const bytes = await readSmallFile(path);
  const document = parseDocument(bytes, { uniqueKeys: true, merge: false });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    throw refuse(`is not YAML or JSON: ${fault.code} at line ${fault.linePos?.[0].line ?? 1}`);
  }
  return toMapping(fromDocument(document));
}

async function readSmallFile(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw refuse("is not a file");
    if (found.size > MAX_MAPPING_BYTES) throw refuse(`is larger than ${MAX_MAPPING_BYTES / 1024} KiB`);
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    throw refuse("cannot be read", cause);
  }
}

function fromDocument(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw refuse("uses aliases; write the values out", cause);
  }
}

function toMapping(json: unknown): ImportMapping {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`);
    const example = 'columns: { "Pay No": payNumber, "Shirt size": ignore }';
    throw refuse(`does not fit: ${faults.slice(0, 10).join("; ")}. It should look like this: ${example}`);
  }
  const faults: string[] = [];
  const columns = new Map<string, RegisterField | CategoryId | "ignore">();
  for (const [header, target] of Object.entries(parsed.data.columns ?? {})) {
    const place = toTarget(target);
    if (place === undefined) faults.push(header);
    else columns.set(header, place);
  }
  if (faults.length > 0) {
    const allowed = `${REGISTER_FIELDS.join(", ")}, a category, or "ignore"`;
    throw refuse(`places these columns nowhere: ${faults.slice(0, 10).join(", ")}. Allowed: ${allowed}`);
  }
  const always = new Map<RegisterField, string>();
  for (const field of REGISTER_FIELDS) {
    const value = parsed.data.always?.[field];
    if (value === undefined) continue;
    const reason = refuseValue(field, value);
    if (reason !== undefined) throw refuse(`says \`always\` for ${field} what no row may hold: ${reason}`);
    always.set(field, value);
  }
  return { columns, always };
}

function toTarget(target: string): RegisterField | CategoryId | "ignore" | undefined {
  const field = fieldSchema.safeParse(target);
  if (field.success) return field.data;
  if (target === "ignore") return target;
  const found = findCategory(target);
  return found.ok ? found.category.id : undefined;
}

function refuse(words: string, cause?: unknown): ImportError {
  return new ImportError("bad-mapping", `The mapping file ${words}.`, cause === undefined ? {} : { cause });
}
