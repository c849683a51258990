import { isRefusalCode, type Outcome, releaseAnswerSchema } from "@tipstaff/release-protocol";
import { z } from "zod";
import type { SignedAnswer } from "./signed-routes.ts";

/** What the desk keeps of an outcome: for a release the bureau's whole answer, so that a retry gets the same bytes. */
export const storedOutcomeSchema = z.discriminatedUnion("outcome", [
  releaseAnswerSchema,
  z.strictObject({
    outcome: z.literal("cancelled"),
    code: z.string(),
    leafHash: z.string(),
    at: z.string(),
    signature: z.string(),
  }),
]);
export type StoredOutcome = z.infer<typeof storedOutcomeSchema>;

type Place = {
  readonly job: string;
  readonly attempt: number;
  readonly origin: string;
  readonly leaf: Buffer;
  readonly logged: { readonly index: number; readonly proof: readonly Uint8Array[]; readonly checkpoint: Uint8Array };
};

/** What to keep of what the keyholder decided; undefined while it has not. */
export function toStoredOutcome(
  outcome: Outcome,
  { job, attempt, origin, leaf, logged }: Place,
): StoredOutcome | undefined {
  if (outcome.outcome === "undecided") return undefined;
  if (outcome.outcome === "cancelled") {
    const { code, leafHash, at, signature } = outcome;
    return { outcome: "cancelled", code, leafHash, at, signature };
  }
  return {
    outcome: "released",
    ...{ job, attempt, origin },
    index: logged.index,
    leaf: leaf.toString("base64url"),
    proof: logged.proof.map((hash) => Buffer.from(hash).toString("base64")),
    checkpoint: Buffer.from(logged.checkpoint).toString("utf8"),
    revealed: outcome.revealed,
    enc: outcome.enc,
    sealed: outcome.sealed,
    signature: outcome.signature,
  };
}

/**
 * What the bureau is answered. Read through the schema, whose order of keys it takes: PostgreSQL keeps JSON in an order of
 * its own, and a retry must get the same bytes.
 */
export function toAnswer(stored: unknown): SignedAnswer {
  const outcome = storedOutcomeSchema.parse(stored);
  if (outcome.outcome === "released") return { json: outcome };
  return { refusal: isRefusalCode(outcome.code) ? outcome.code : "withdrawn" };
}
