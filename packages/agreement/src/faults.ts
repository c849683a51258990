/** One thing that is wrong in an agreement file. No field ever repeats a value of the file. */
export type Fault = {
  /** As the caller named the file. */
  readonly file: string;
  /** Counted from 1; of the nearest enclosing key when the fault is that something is missing. */
  readonly line: number;
  /** Path such as `categories[2].retention`; empty for the file as a whole. */
  readonly key: string;
  readonly expected: string;
  /** The kind of what stands there: `text`, `a number`, `nothing` … */
  readonly found: string;
};

/** One line for a terminal: `FILE:LINE: KEY: expected …; found …`. */
export const formatFault = (fault: Fault): string => {
  const key = fault.key === "" ? "" : `${fault.key}: `;
  return `${fault.file}:${fault.line}: ${key}expected ${fault.expected}; found ${fault.found}`;
};

/** The kind of a value, never the value. */
export const toKind = (value: unknown): string => {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  switch (typeof value) {
    case "string":
      return value === "" ? "empty text" : "text";
    case "number":
      return Number.isInteger(value) ? "a whole number" : "a number";
    case "boolean":
      return "true or false";
    case "object":
      return "a block of keys";
    default:
      return "something else";
  }
};

export type KeyPath = readonly (string | number)[];

const MAX_KEY = 40;

/** `["categories", 2, "retention"]` as `categories[2].retention`; a key that is no plain word shows as `?`. */
export const formatPath = (path: KeyPath): string =>
  path
    .map((part) =>
      typeof part === "number"
        ? `[${part}]`
        : `.${/^[A-Za-z][\w-]*$/.test(part) && part.length <= MAX_KEY ? part : "?"}`,
    )
    .join("")
    .replace(/^\./, "");
