import { z } from "zod";
import { bytes, digestHex, slug, uuid } from "../scalars.ts";

/** Public things: verifier key of the log, of the force; pinned agreements' digests and witnesses' policy; budget left today. */
export const statusCall = {
  request: z.strictObject({}),
  response: z.strictObject({
    force: slug,
    logVerifierKey: z.string(),
    forceVerifierKey: z.string(),
    agreements: z.array(digestHex),
    /** The text pinned last; `null`: releases need no witness. */
    witnessPolicy: z.string().nullable(),
    budgetLeft: z.int(),
    checkpoint: z.strictObject({ size: z.int(), root: bytes(32) }),
    holds: z.array(z.strictObject({ recipient: slug, hold: uuid })),
  }),
} as const;
