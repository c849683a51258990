import { z } from "zod";
import { type CategoryId, categories, findCategory } from "./categories.ts";
import { parseDuration, parseExactSeconds } from "./iso-duration.ts";
import { parsePublicKey } from "./public-key.ts";

const MAX_LIST = 300;
const MAX_TEXT = 500;

// Every message says what is expected, never what was found: the found value may be personal data or a secret.
export const text = (what: string) => {
  // Line separators and marks that turn the direction of writing could make a signer read another text.
  const error = `${what}: 1 to ${MAX_TEXT} characters of text on one line (quote it if it looks like a number)`;
  return z
    .string({ error })
    .min(1, { error })
    .max(MAX_TEXT, { error })
    .regex(/\S/, { error })
    .regex(/^[^\p{Cc}\u2028-\u202E\u2066-\u2069]*$/u, { error })
    .describe(what);
};

export const slug = (what: string) => {
  const error = `${what}: 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit`;
  return z
    .string({ error })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error })
    .describe(what);
};

export const count = (what: string, max: number) => {
  const error = `${what}: a whole number from 1 to ${max}`;
  return z.int({ error }).min(1, { error }).max(max, { error }).describe(what);
};

export const list = <Item extends z.ZodType>(item: Item, what: string) => {
  const error = `${what}: a list of 1 to ${MAX_LIST}`;
  return z.array(item, { error }).min(1, { error }).max(MAX_LIST, { error });
};

export const optionalList = <Item extends z.ZodType>(item: Item, what: string) => {
  const error = `${what}: a list of at most ${MAX_LIST}`;
  return z.array(item, { error }).max(MAX_LIST, { error }).default([]).describe(what);
};

export const oneOf = <const Words extends readonly [string, ...string[]]>(what: string, words: Words) =>
  z.enum(words, { error: `${what}: one of ${words.join(", ")}` }).describe(what);

export const block = <Shape extends z.ZodRawShape>(shape: Shape, what: string) =>
  z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? undefined
          : `${what}: a block with the keys ${Object.keys(shape).join(", ")}`,
    })
    .describe(what);

/** A list in which `toKey` may not name the same thing twice. */
export const distinct =
  <Item>(toKey: (item: Item) => string, what: string) =>
  (items: readonly Item[], context: z.RefinementCtx<readonly Item[]>): void => {
    const seen = new Set<string>();
    for (const [at, item] of items.entries()) {
      const key = toKey(item);
      if (seen.has(key)) context.addIssue({ code: "custom", path: [at], message: `${what}: each only once` });
      seen.add(key);
    }
  };

const categoryNames = categories.flatMap((category) => [category.id, ...category.aliases]);
export const category = z
  .string({ error: "a category: an id such as pd:Name, or an alias such as collar number" })
  .transform((written, context): CategoryId => {
    const found = findCategory(written);
    if (found.ok) return found.category.id;
    const hint = found.suggestion === undefined ? "" : `; did you mean ${found.suggestion}?`;
    context.addIssue({ code: "custom", message: `a category that Tipstaff knows (W3C DPV 2.3 or tip:)${hint}` });
    return z.NEVER;
  })
  .meta({ description: "A category: its id or an alias", anyOf: [{ enum: categoryNames }, { type: "string" }] });

export const duration = (what: string) => {
  const error = `${what}: an ISO 8601 duration such as P30D or P7Y`;
  return z
    .string({ error })
    .refine((written) => parseDuration(written) !== undefined, { error })
    .describe(what);
};
export const exactDuration = (what: string) => {
  const error = `${what}: an ISO 8601 duration without years and months, such as PT2M or P14D`;
  return z
    .string({ error })
    .refine((written) => parseExactSeconds(written) !== undefined, { error })
    .describe(what);
};

const instantPattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z)?$/;
export const instant = (what: string) => {
  const error = `${what}: an instant in UTC such as 2027-04-01T00:00:00Z, or a date (its first instant)`;
  return z
    .string({ error })
    .regex(instantPattern, { error })
    .transform((written, context): string => {
      const at = new Date(written);
      // Date rolls 30 February over to March.
      if (!Number.isNaN(at.getTime()) && at.toISOString().startsWith(written.slice(0, 19).replace("Z", "")))
        return at.toISOString();
      context.addIssue({ code: "custom", message: error });
      return z.NEVER;
    })
    .describe(what);
};

const publicKeyError =
  "publicKey: the base64 of an Ed25519 public key's 32 bytes, or a signed-note verifier key (name+hash+base64)";
export const publicKey = z
  .string({ error: publicKeyError })
  .transform((written, context): string => {
    const key = parsePublicKey(written);
    if (key !== undefined) return key;
    context.addIssue({ code: "custom", message: publicKeyError });
    return z.NEVER;
  })
  .describe("Ed25519 public key, base64 or signed-note verifier key");
