import type { z } from "zod";

type Issue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: "text is required",
  number: "a number is required",
  int: "a whole number is required",
  boolean: "true or false is required",
  array: "a list is required",
  object: "a block of fields is required",
};
const FORMATS: Readonly<Record<string, string>> = {
  uuid: "an id such as 3f2c8a10-5b7e-4d21-9c64-0a1b2c3d4e5f is required",
  datetime: "an instant such as 2026-03-01T09:00:00Z is required",
  date: "a date such as 2026-03-01 is required",
};
const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
};

/**
 * What is required in the place of one fault, in words; never what stood there, which may be a person's. Undefined where
 * the code has no words here. A schema's own message goes before these.
 */
export function explainIssue(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return KINDS[issue.expected] ?? "another kind of value is required";
    case "invalid_format":
      return FORMATS[issue.format] ?? "another form is required";
    case "invalid_value":
      return `one of these is required: ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${amount(issue.minimum, issue.origin)} required`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${amount(issue.maximum, issue.origin)} allowed`;
    case "unrecognized_keys":
      return "a key that is not known stands there";
    default:
      return undefined;
  }
}

function amount(limit: number | bigint, origin: string): string {
  const [one, many] = COUNTED[origin] ?? [];
  const noun = Number(limit) === 1 ? one : many;
  return noun === undefined ? `${limit} is` : `${limit} ${noun} ${Number(limit) === 1 ? "is" : "are"}`;
}
