import { z } from "zod";
import { type CategoryId, categories, findCategory } from "./categories.ts";
import { parseDuration, parseExactSeconds } from "./iso-duration.ts";
import { parsePublicKey } from "./public-key.ts";

const MAX_LIST = 300;
const MAX_TEXT = 500;

// Every message says what is expected, never what was found: the found value may be personal data or a secret.
const text = (what: string) => {
  const error = `${what}: 1 to ${MAX_TEXT} characters of text on one line (quote it if it looks like a number)`;
  return z
    .string({ error })
    .min(1, { error })
    .max(MAX_TEXT, { error })
    .regex(/^[^\p{Cc}\u2028\u2029]*\S[^\p{Cc}\u2028\u2029]*$/u, { error })
    .describe(what);
};

const slug = (what: string) => {
  const error = `${what}: 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit`;
  return z
    .string({ error })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error })
    .describe(what);
};

const count = (what: string, max: number) => {
  const error = `${what}: a whole number from 1 to ${max}`;
  return z.int({ error }).min(1, { error }).max(max, { error }).describe(what);
};

const list = <Item extends z.ZodType>(item: Item, what: string) => {
  const error = `${what}: a list of 1 to ${MAX_LIST}`;
  return z.array(item, { error }).min(1, { error }).max(MAX_LIST, { error });
};

const optionalList = <Item extends z.ZodType>(item: Item, what: string) => {
  const error = `${what}: a list of at most ${MAX_LIST}`;
  return z.array(item, { error }).max(MAX_LIST, { error }).default([]).describe(what);
};

const oneOf = <const Words extends readonly [string, ...string[]]>(what: string, words: Words) =>
  z.enum(words, { error: `${what}: one of ${words.join(", ")}` }).describe(what);

const block = <Shape extends z.ZodRawShape>(shape: Shape, what: string) =>
  z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? undefined
          : `${what}: a block with the keys ${Object.keys(shape).join(", ")}`,
    })
    .describe(what);

/** A list in which `toKey` may not name the same thing twice. */
const distinct =
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
const category = z
  .string({ error: "a category: an id such as pd:Name, or an alias such as collar number" })
  .transform((written, context): CategoryId => {
    const found = findCategory(written);
    if (found.ok) return found.category.id;
    const hint = found.suggestion === undefined ? "" : `; did you mean ${found.suggestion}?`;
    context.addIssue({ code: "custom", message: `a category that Tipstaff knows (W3C DPV 2.3 or tip:)${hint}` });
    return z.NEVER;
  })
  .meta({ description: "A category: its id or an alias", anyOf: [{ enum: categoryNames }, { type: "string" }] });

const duration = (what: string) => {
  const error = `${what}: an ISO 8601 duration such as P30D or P7Y`;
  return z
    .string({ error })
    .refine((written) => parseDuration(written) !== undefined, { error })
    .describe(what);
};
const exactDuration = (what: string) => {
  const error = `${what}: an ISO 8601 duration without years and months, such as PT2M or P14D`;
  return z
    .string({ error })
    .refine((written) => parseExactSeconds(written) !== undefined, { error })
    .describe(what);
};

const instantPattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z)?$/;
const instant = (what: string) => {
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
const recipientKey = block(
  {
    id: slug("keyid that the recipient's signatures name"),
    use: oneOf("what the key may sign", ["requests", "receipts", "agreement"]),
    publicKey: z
      .string({ error: publicKeyError })
      .transform((written, context): string => {
        const key = parsePublicKey(written);
        if (key !== undefined) return key;
        context.addIssue({ code: "custom", message: publicKeyError });
        return z.NEVER;
      })
      .describe("Ed25519 public key, base64 or signed-note verifier key"),
  },
  "one key of the recipient",
);

/** How carefully a post must be shielded. Covert posts never go to an outside recipient. */
export const postSensitivities = ["ordinary", "sensitive", "covert"] as const;
export type PostSensitivity = (typeof postSensitivities)[number];
const postSensitivity = oneOf("post sensitivity", postSensitivities);
const cardKindError = "a card kind: lower-case letters, digits and hyphens, such as warrant-card";
const cardKind = z
  .string({ error: cardKindError })
  .regex(/^[a-z][a-z0-9-]{0,39}$/, { error: cardKindError })
  .meta({ examples: ["warrant-card", "designation-card", "staff-pass", "contractor-pass"] });

const subjects = block(
  {
    include: block(
      {
        postSensitivity: list(postSensitivity, "post sensitivities included"),
        cardKinds: list(cardKind, "card kinds included").optional(),
      },
      "whose data the recipient may hold",
    ),
    exclude: block(
      {
        postSensitivity: optionalList(postSensitivity, "post sensitivities excluded"),
        cardKinds: optionalList(cardKind, "card kinds excluded"),
      },
      "whose data the recipient may never hold; stronger than include",
    ).prefault({}),
  },
  "the force's people whom the agreement covers; without it, it covers the public and none of them",
);

const limits = block(
  {
    rate: block(
      { perHour: count("releases an hour", 10_000_000), burst: count("releases at once", 100_000) },
      "how fast jobs may be released to the recipient",
    ),
    openPerLine: count("jobs released to one line and not yet answered by a receipt", 1_000),
    unaccounted: count("cards released and not yet scanned in at the force", 10_000_000),
    attempts: count("releases of one job without a person's approval", 10).default(2),
    receiptWithin: exactDuration("time from a release to its receipt"),
    orderExpiresAfter: exactDuration("time after which an order's unreleased jobs expire"),
  },
  "limits",
);

const version = count("version", 1_000_000);
const retentionError = "retention: {until: receipt}, or {duration: an ISO 8601 duration such as P30D}";

/** The format of an agreement file, as docs/spec/agreement.md tells it. */
export const agreementSchema = block(
  {
    id: slug("id of the agreement"),
    version,
    supersedes: block({ id: slug("id of the agreement"), version }, "the agreement that this one replaces").optional(),
    controller: block(
      { id: slug("id of the force"), name: text("name of the force"), contact: text("whom to ask at the force") },
      "the force, UK GDPR controller",
    ),
    recipient: block(
      {
        id: slug("id of the recipient"),
        name: text("name of the recipient"),
        role: oneOf("role of the recipient", ["processor", "controller", "third-party"]),
        keys: optionalList(recipientKey, "public keys of the recipient").superRefine(
          distinct((key) => key.id, "key ids"),
        ),
      },
      "who receives the data",
    ),
    purpose: text("purpose: a DPV purpose or a sentence"),
    lawfulBasis: text("lawful basis"),
    categories: list(
      block(
        {
          category,
          retention: z.union(
            [
              z.strictObject({ until: z.literal("receipt") }),
              z.strictObject({ duration: duration("how long the recipient may keep it") }),
            ],
            { error: retentionError },
          ),
        },
        "one category that the recipient may hold",
      ),
      "categories that the recipient may hold, each exactly and nothing beneath it",
    ).superRefine(distinct((grant) => grant.category, "categories")),
    subjects: subjects.optional(),
    never: optionalList(category, "categories forbidden with everything beneath them; stronger than categories"),
    limits: limits.optional(),
    subProcessors: optionalList(
      block({ id: slug("id"), name: text("name"), purpose: text("what for") }, "one sub-processor"),
      "sub-processors: whom the recipient may pass the data to",
    ),
    transfers: optionalList(
      block(
        {
          country: z
            .string({ error: "country: two capital letters, ISO 3166-1" })
            .regex(/^[A-Z]{2}$/, { error: "country: two capital letters, ISO 3166-1" }),
          safeguard: text("safeguard"),
        },
        "one country outside the United Kingdom",
      ),
      "transfers: countries outside the United Kingdom that the data may go to",
    ),
    breachNoticeWithin: exactDuration("time within which the recipient reports a breach"),
    endOfContract: block(
      { action: oneOf("what happens to the data", ["destroy", "return"]), within: exactDuration("time to do it in") },
      "what happens to the data when the contract ends",
    ),
    validity: block(
      { from: instant("from"), until: instant("until") },
      "in force from (inclusive) until (exclusive)",
    ).refine((validity) => validity.from < validity.until, { error: "until: an instant after from", path: ["until"] }),
  },
  "an agreement",
);

/** What a recipient may hold: the content of a checked agreement file, aliases and defaults resolved. */
export type Agreement = z.output<typeof agreementSchema>;
export type Grant = Agreement["categories"][number];
export type Retention = Grant["retention"];
export type RecipientKey = Agreement["recipient"]["keys"][number];
export type KeyUse = RecipientKey["use"];

/** JSON Schema (2020-12) of an agreement file, so that editors complete and check it while it is written. */
export const agreementJsonSchema: Readonly<Record<string, unknown>> = {
  title: "Tipstaff agreement",
  ...z.toJSONSchema(agreementSchema, { io: "input" }),
};
