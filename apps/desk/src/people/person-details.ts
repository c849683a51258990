import { z } from "zod";
import { DeskError } from "../server/desk-error.ts";

/** Every field of a person that the register has authority to hold, in the order of the canonical row. */
export const REGISTER_FIELDS = [
  "payNumber",
  "warrantNumber",
  "collarNumber",
  "title",
  "forenames",
  "surname",
  "knownAs",
  "rank",
  "unit",
  "postSensitivity",
  "role",
  "employedUntil",
] as const;
export type RegisterField = (typeof REGISTER_FIELDS)[number];

export function isRegisterField(name: string): name is RegisterField {
  return REGISTER_FIELDS.some((field) => field === name);
}

export const POST_SENSITIVITIES = ["ordinary", "sensitive", "covert"] as const;
const ROLES = ["officer", "staff"] as const;

/** Longest value of each field, in UTF-16 code units. */
export const MAX_LENGTHS: Readonly<Record<RegisterField, number>> = {
  payNumber: 20,
  warrantNumber: 20,
  collarNumber: 20,
  title: 40,
  forenames: 100,
  surname: 100,
  knownAs: 100,
  rank: 64,
  unit: 120,
  postSensitivity: 20,
  role: 40,
  employedUntil: 10,
};

/** What is sealed as a person's `details`; "" where there is none. */
const personDetailsSchema = z.strictObject({
  payNumber: z.string(),
  warrantNumber: z.string(),
  collarNumber: z.string(),
  title: z.string(),
  forenames: z.string(),
  surname: z.string(),
  knownAs: z.string(),
  rank: z.string(),
  unit: z.string(),
  postSensitivity: z.enum(POST_SENSITIVITIES),
  role: z.enum(ROLES),
  /** ISO date after which a fixed-term appointment ends. */
  employedUntil: z.string(),
});
export type PersonDetails = z.infer<typeof personDetailsSchema>;

/** The text of which the keyholder takes a row's fingerprint: every field, in one order. */
export function toCanonicalRow(details: PersonDetails): string {
  return JSON.stringify(["details/v1", ...REGISTER_FIELDS.map((field) => details[field])]);
}

/** A record as it was opened. Throws DeskError `broken-invariant`, which quotes nothing of it. */
export function parsePersonDetails(plaintext: Uint8Array): PersonDetails {
  const parsed = personDetailsSchema.safeParse(parseJson(plaintext));
  // Neither JSON's own error nor the schema's goes with it: both may quote what they read.
  if (!parsed.success) throw new DeskError("broken-invariant", "A person's record was opened and cannot be read");
  return parsed.data;
}

function parseJson(plaintext: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(plaintext).toString("utf8"));
  } catch {
    return undefined;
  }
}
