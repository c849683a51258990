import type { z } from "zod";
import { type Agreement, agreementJsonSchema, agreementSchema } from "./agreement-schema.ts";
import { type Fault, formatPath, type KeyPath, toKind } from "./faults.ts";
import { nearestName } from "./nearest-name.ts";
import { MAX_FILE_BYTES, readYaml } from "./read-yaml.ts";
import { decodeUtf8 } from "./utf8.ts";

const MAX_FAULTS = 100;

export type ParsedAgreement =
  | { readonly ok: true; readonly agreement: Agreement }
  | { readonly ok: false; readonly faults: readonly Fault[] };

type Located = { readonly path: KeyPath; readonly expected: string; readonly found: string };

/**
 * Reads an agreement file (docs/spec/agreement.md) and checks its form; signatures are `verifyAgreement`'s matter.
 * Faults are told all together, at most 100 of them, in the order of lines. Hostile input is refused, never thrown at.
 */
export const parseAgreement = (
  source: Uint8Array | string,
  { fileName }: { readonly fileName: string },
): ParsedAgreement => {
  const whole = (expected: string, found: string): ParsedAgreement => ({
    ok: false,
    faults: [{ file: fileName, line: 1, key: "", expected, found }],
  });
  if (source.length > MAX_FILE_BYTES) return whole(`at most ${MAX_FILE_BYTES} bytes`, "more");
  const text = typeof source === "string" ? source : decodeUtf8(source);
  if (text === undefined) return whole("UTF-8 text", "other bytes");
  const yaml = readYaml(text);
  if (!yaml.ok)
    return { ok: false, faults: toSorted(yaml.faults.map((fault) => ({ file: fileName, key: "", ...fault }))) };

  const crossed = [...findMissingBlocks(yaml.value), ...findBackwardVersion(yaml.value)];
  const checked = agreementSchema.safeParse(yaml.value);
  if (checked.success && crossed.length === 0) return { ok: true, agreement: checked.data };
  const located = [...crossed, ...(checked.error?.issues ?? []).flatMap((issue) => toLocated(issue, yaml.value))];
  const faults = located.map(({ path, ...rest }) => ({
    file: fileName,
    line: yaml.lineOf(path),
    key: formatPath(path),
    ...rest,
  }));
  return { ok: false, faults: toSorted(faults) };
};

const toSorted = (faults: readonly Fault[]): Fault[] =>
  [...faults].sort((a, b) => a.line - b.line || (a.key < b.key ? -1 : 1)).slice(0, MAX_FAULTS);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valueAt = (value: unknown, path: KeyPath): unknown => {
  let found = value;
  for (const part of path) {
    if (Array.isArray(found) && typeof part === "number") found = found[part];
    else if (isRecord(found) && Object.hasOwn(found, part)) found = found[part];
    else return undefined;
  }
  return found;
};

const toLocated = (issue: z.core.$ZodIssue, value: unknown): Located[] => {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: [...path, key],
      expected: `no such key${suggestKey(key)}`,
      found: "an unknown key",
    }));
  return [{ path, expected: issue.message, found: toKind(valueAt(value, path)) }];
};

const collectKeys = (schema: unknown): string[] => {
  if (Array.isArray(schema)) return schema.flatMap(collectKeys);
  if (!isRecord(schema)) return [];
  const own = isRecord(schema.properties) ? Object.keys(schema.properties) : [];
  return [...own, ...Object.values(schema).flatMap(collectKeys)];
};
const knownKeys = new Set(collectKeys(agreementJsonSchema));

const suggestKey = (key: string): string => {
  const near = knownKeys.has(key) ? undefined : nearestName(key, knownKeys);
  return near === undefined ? " here" : `; did you mean ${near}?`;
};

/** Cards may go only to a recipient that is held by limits and known by its keys. */
const findMissingBlocks = (value: unknown): Located[] => {
  if (valueAt(value, ["subjects", "include", "cardKinds"]) === undefined) return [];
  const why = "required because subjects.include.cardKinds sends cards";
  const keys = valueAt(value, ["recipient", "keys"]);
  const uses = Array.isArray(keys) ? keys.map((key) => valueAt(key, ["use"])) : [];
  const found = toKind(keys);
  return [
    ...(valueAt(value, ["limits"]) === undefined
      ? [{ path: ["limits"], expected: `limits (${why})`, found: "nothing" }]
      : []),
    ...["requests", "receipts"].flatMap((use) =>
      uses.includes(use) ? [] : [{ path: ["recipient", "keys"], expected: `a key with use: ${use} (${why})`, found }],
    ),
  ];
};

const findBackwardVersion = (value: unknown): Located[] => {
  const [id, version] = [valueAt(value, ["id"]), valueAt(value, ["version"])];
  const [oldId, oldVersion] = [valueAt(value, ["supersedes", "id"]), valueAt(value, ["supersedes", "version"])];
  if (id !== oldId || typeof version !== "number" || typeof oldVersion !== "number" || oldVersion < version) return [];
  const expected = "an earlier version than the file's own, as the id is the same";
  return [{ path: ["supersedes", "version"], expected, found: "a later one, or the same" }];
};
