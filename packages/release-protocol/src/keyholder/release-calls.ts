import { z } from "zod";
import { rawRequestSchema, revealedSchema } from "../bureau-messages.ts";
import { bytes, digestHex, instant, slug, uuid } from "../scalars.ts";
import { batch } from "./batch.ts";

const signature = bytes(64);
const outcome = z.discriminatedUnion("outcome", [
  z.strictObject({
    outcome: z.literal("released"),
    leafHash: digestHex,
    at: instant,
    enc: bytes(1120),
    sealed: bytes(48),
    revealed: z.array(revealedSchema),
    signature,
  }),
  z.strictObject({ outcome: z.literal("cancelled"), leafHash: digestHex, at: instant, code: z.string(), signature }),
  /** Nothing was decided or kept; `code` says why, and the desk may ask again. */
  z.strictObject({ outcome: z.literal("undecided"), leafHash: digestHex, code: z.string() }),
]);
export type Outcome = z.infer<typeof outcome>;

/** Orders, releases and what is counted against them. */
export const releaseCalls = {
  "jobs/wrap": {
    request: z.strictObject({
      jobs: batch(
        z.strictObject({
          person: uuid,
          context: bytes(),
          key: bytes(32),
          facts: z.strictObject({
            cardKind: slug,
            categories: z.array(z.string().max(64)).max(64),
            postSensitivity: slug,
            rank: z.string().max(64),
          }),
        }),
      ),
    }),
    response: z.strictObject({ wrapped: z.array(bytes()) }),
  },
  /** Signs an order manifest: the force key over "tipstaff/order/v1" ‖ digest. */
  "orders/sign": {
    request: z.strictObject({ order: uuid, digest: digestHex }),
    response: z.strictObject({ signature }),
  },
  "releases/decide": {
    request: z.strictObject({
      releases: batch(
        z.strictObject({
          agreement: digestHex,
          request: rawRequestSchema,
          person: uuid,
          wrapped: bytes(),
          context: bytes(),
          leaf: bytes(),
          openings: bytes(),
          index: z.int().min(0),
          treeSize: z.int().min(1),
          proof: z.array(z.string().max(44)).max(63),
          /** The signed note of that size, with its cosignatures; needed where a witness policy is pinned. */
          checkpoint: z.string().max(131_072).optional(),
        }),
      ),
    }),
    response: z.strictObject({ outcomes: z.array(outcome) }),
  },
  /** The outcomes kept for these leaves; `null` where none is. */
  "releases/outcomes": {
    request: z.strictObject({ leafHashes: batch(digestHex) }),
    response: z.strictObject({ outcomes: z.array(outcome.nullable()) }),
  },
  /**
   * Accepted receipts: verified again, counted against `openPerLine`. To be told before the line's next release is
   * decided, or that one is cancelled as `line-busy`. The same receipt again is `true`, another of the same job `false`.
   */
  "receipts/count": {
    request: z.strictObject({ receipts: batch(z.strictObject({ agreement: digestHex, request: rawRequestSchema })) }),
    response: z.strictObject({ counted: z.array(z.boolean()) }),
  },
  /** Cards scanned in at the force: counted against `unaccounted`. `counted`: how many of these jobs now stand so. */
  "accounted/count": {
    request: z.strictObject({ recipient: slug, jobs: batch(uuid), actor: uuid }),
    response: z.strictObject({ counted: z.int() }),
  },
  /** What the keyholder itself remembers of these jobs, `null` of one that it never released. `answered`: it counted a receipt. */
  "jobs/recall": {
    request: z.strictObject({ jobs: batch(uuid) }),
    response: z.strictObject({
      jobs: z.array(
        z
          .strictObject({
            recipient: slug,
            line: slug,
            attempt: z.int().min(1),
            answered: z.boolean(),
            accounted: z.boolean(),
          })
          .nullable(),
      ),
    }),
  },
  "holds/place": {
    request: z.strictObject({ recipient: slug, hold: uuid, reason: slug }),
    response: z.strictObject({ placed: z.boolean() }),
  },
  /** Two different people lift a hold. */
  "holds/lift": {
    request: z.strictObject({ recipient: slug, hold: uuid, people: z.array(uuid).length(2) }),
    response: z.strictObject({ lifted: z.boolean() }),
  },
  /** A further attempt beyond the agreement's, approved by a person. */
  "attempts/approve": {
    request: z.strictObject({ job: uuid, attempt: z.int().min(2), actor: uuid }),
    response: z.strictObject({ approved: z.boolean() }),
  },
} as const;
