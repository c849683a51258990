import { z } from "zod";
import {
  block,
  category,
  count,
  distinct,
  duration,
  exactDuration,
  instant,
  list,
  oneOf,
  optionalList,
  publicKey,
  slug,
  text,
} from "./schema-parts.ts";

const recipientKey = block(
  {
    id: slug("keyid that the recipient's signatures name"),
    use: oneOf("what the key may sign", ["requests", "receipts", "agreement"]),
    publicKey,
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
    lines: count("lines that the recipient may ever use", 10_000),
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
