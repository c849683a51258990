import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { instantField, nameField } from "./fields.ts";
import { parseBody } from "./parse-body.ts";
import { Problem } from "./problem.ts";

function problemOf(schema: z.ZodType, body: unknown): Problem {
  try {
    parseBody(schema, body);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("the body was taken");
}
const fault = (schema: z.ZodType, body: unknown) => problemOf(schema, body).detail;

const people = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({
    items: z
      .array(z.strictObject({ person: z.uuid() }))
      .min(1)
      .max(2),
  }),
]);

describe("parseBody() says in words what is required", () => {
  it.each<[string, z.ZodType, unknown, RegExp]>([
    [
      "an instant",
      z.strictObject({ from: instantField }),
      { from: "rubbish" },
      /^from: a date such as .*, or an instant/,
    ],
    ["an instant that is missing", z.strictObject({ from: instantField }), {}, /^from: a date such as/],
    ["an id", z.strictObject({ order: z.uuid() }), { order: "x" }, /^order: an id such as [0-9a-f-]{36} is required$/],
    ["a name", z.strictObject({ recipient: nameField }), { recipient: "a b" }, /^recipient: 1 to 64 letters/],
    ["a list that is empty", people, { items: [] }, /^items: at least 1 entry is required$/],
    ["a list that is too long", people, { items: "abc".split("") }, /^items: at most 2 entries are allowed/],
    ["the form that was meant", people, { items: [{ person: "12345" }] }, /^items\.0\.person: an id such as/],
    [
      "the kind of value",
      z.strictObject({ limit: z.int() }),
      { limit: null },
      /^limit: a (whole )?number is required$/,
    ],
    [
      "the choice",
      z.strictObject({ format: z.enum(["json", "csv"]) }),
      { format: "x" },
      /^format: one of these is required: json, csv$/,
    ],
    ["a number's bound", z.strictObject({ n: z.number().positive() }), { n: 0 }, /^n: more than 0 is required$/],
    [
      "text that is too short",
      z.strictObject({ why: z.string().min(1) }),
      { why: "" },
      /^why: at least 1 character is required$/,
    ],
    [
      "a schema's own rule",
      z.strictObject({ n: z.string().refine(() => false, "a card number") }),
      { n: "1" },
      /^n: a card number$/,
    ],
    [
      "a rule without words",
      z.strictObject({ n: z.string().refine(() => false) }),
      { n: "1" },
      /^n: another value is required$/,
    ],
    ["what is no block at all", z.strictObject({}), [], /^body: a block of fields is required$/],
  ])("%s", (_what, schema, body, words) => {
    expect(fault(schema, body)).toMatch(words);
  });
});

it("parseBody() tells every fault at once, with 400, a code and what to do", () => {
  const schema = z.strictObject({ from: instantField, to: instantField });
  const { status, code, detail, advice } = problemOf(schema, { from: 1, to: "then" });
  expect([status, code, detail?.split("; ").length]).toEqual([400, "malformed", 2]);
  expect(advice).toMatch(/Mend what is named/);
});

it("parseBody() names no key that it does not know: it may be a person's", () => {
  expect(fault(z.strictObject({}), { "Jane Constable": 1 })).toBe("body: a key that is not known stands there");
});

it("parseBody() repeats no value, and uses no code of the schema's library", () => {
  const secret = fc.string({ minLength: 8, unit: fc.constantFrom("q", "Z", "7", "§") });
  const schema = z.strictObject({
    a: z.uuid(),
    b: instantField,
    c: z.enum(["x", "y"]),
    d: nameField,
    e: z.int(),
    f: people,
  });
  fc.assert(
    fc.property(secret, (value) => {
      const body = {
        a: value,
        b: value,
        c: value,
        d: `${value} `,
        e: value,
        f: { items: [{ person: value }] },
        [value]: value,
      };
      const { detail = "", message } = problemOf(schema, body);
      expect(`${message} ${detail}`).not.toContain(value);
      expect(detail).not.toMatch(/invalid|Invalid|too_|custom|undefined/);
    }),
  );
});
