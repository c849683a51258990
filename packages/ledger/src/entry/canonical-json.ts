import { LedgerError } from "../error.ts";

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const MAX_DEPTH = 16;

/**
 * Canonical JSON (RFC 8785) without fractions: the one text for one value, so that its commitment can be computed again.
 * Throws `entry-invalid` for numbers that are no safe integers, lone surrogates, and nesting deeper than 16.
 */
export const encodeCanonicalJson = (value: JsonValue): string => encode(value, 0);

const encode = (value: JsonValue, depth: number): string => {
  if (depth > MAX_DEPTH) throw new LedgerError("entry-invalid", "canonical JSON may not nest deeper than 16");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return encodeInteger(value);
  if (typeof value === "string") return encodeText(value);
  if (isList(value)) return `[${value.map((item) => encode(item, depth + 1)).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${encodeText(name)}:${encode(value[name] ?? null, depth + 1)}`);
  return `{${members.join(",")}}`;
};

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

const encodeInteger = (value: number): string => {
  if (!Number.isSafeInteger(value)) {
    throw new LedgerError("entry-invalid", "a number in canonical JSON must be an integer within ±(2^53 − 1)");
  }
  return String(value === 0 ? 0 : value);
};

const encodeText = (text: string): string => {
  if (!text.isWellFormed()) throw new LedgerError("entry-invalid", "a text in canonical JSON has a lone surrogate");
  return JSON.stringify(text);
};

/** Whether the text is the canonical JSON of an object. */
export const isCanonicalObject = (text: string): boolean => {
  try {
    const value: JsonValue = JSON.parse(text);
    return value !== null && typeof value === "object" && !isList(value) && encodeCanonicalJson(value) === text;
  } catch {
    return false;
  }
};
