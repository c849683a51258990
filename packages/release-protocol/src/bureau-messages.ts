import { z } from "zod";
import { bytes, digestHex, instant, slug, uuid } from "./scalars.ts";

/** Bytes of a one-time X-Wing public key (draft-connolly-cfrg-xwing-kem). */
export const ONE_TIME_KEY_LENGTH = 1216;
/** Bytes of an X-Wing encapsulated secret. */
export const ENCAPSULATED_LENGTH = 1120;

/**
 * Longest checkpoint, in characters. A signed note has at most 16 signatures; the longest kind is ML-DSA-44's, a line of
 * 4 + 255 (name) + 3,244 (base64 of id, time and 2,420 bytes) characters; with a text of 321 at most and an empty line that is 56,370.
 */
const MAX_CHECKPOINT_LENGTH = 65_536;

/** Release request (docs/spec/release-protocol.md, section 3). */
export const releaseRequestSchema = z.strictObject({
  version: z.literal(1),
  recipient: slug,
  agreement: digestHex,
  run: uuid,
  order: uuid,
  job: uuid,
  attempt: z.int().min(1).max(99),
  line: slug,
  previous: digestHex,
  key: bytes(ONE_TIME_KEY_LENGTH),
});
export type ReleaseRequest = z.infer<typeof releaseRequestSchema>;

/** One field of a ledger entry, opened: name, 32-byte salt (base64url) and value (text). */
export const revealedSchema = z.strictObject({
  field: z.string().max(32),
  salt: bytes(32),
  value: z.string().max(4096),
});

/** Release answer (section 4). */
export const releaseAnswerSchema = z.strictObject({
  outcome: z.literal("released"),
  job: uuid,
  attempt: z.int().min(1),
  origin: z.string().min(1).max(255),
  index: z.int().min(0),
  leaf: bytes(),
  proof: z.array(z.string().max(44)).max(63),
  checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  revealed: z.array(revealedSchema).max(12),
  enc: bytes(ENCAPSULATED_LENGTH),
  sealed: bytes(48),
  signature: bytes(64),
});
export type ReleaseAnswer = z.infer<typeof releaseAnswerSchema>;

export const SPOIL_REASONS = ["misprint", "damaged-blank", "jam", "crash", "other"] as const;

/** Receipt (section 7): the bureau's signed answer, with its declaration that it kept nothing. */
export const receiptSchema = z.strictObject({
  version: z.literal(1),
  recipient: slug,
  agreement: digestHex,
  order: uuid,
  job: uuid,
  attempt: z.int().min(1).max(99),
  line: slug,
  result: z.enum(["produced", "spoiled"]),
  blank: slug,
  reason: z.enum(SPOIL_REASONS).optional(),
  resolved: slug.optional(),
  at: instant,
  kept: z.literal("nothing"),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Manifest of an order file (section 6), its first line. */
export const orderManifestSchema = z.strictObject({
  version: z.literal(1),
  suite: z.literal("A256GCM"),
  force: slug,
  recipient: slug,
  order: uuid,
  agreement: digestHex,
  createdAt: instant,
  expiresAt: instant,
  jobs: z.array(
    z.strictObject({
      job: uuid,
      templateDigest: digestHex,
      categories: z.array(z.string().max(64)).max(64),
      offset: z.int().min(0),
      length: z.int().min(1),
      digest: digestHex,
    }),
  ),
});
export type OrderManifest = z.infer<typeof orderManifestSchema>;

/** Answers of the desk's reading routes (section 2). */
export const orderListSchema = z.strictObject({
  orders: z.array(z.strictObject({ order: uuid, jobs: z.int(), digest: digestHex, expiresAt: instant })),
});
export const runListSchema = z.strictObject({
  runs: z.array(z.strictObject({ run: uuid, order: uuid, until: instant, left: z.int() })),
});
export const runSchema = z.strictObject({ run: uuid, order: uuid, until: instant, jobs: z.array(uuid) });
/** `restart`: the chain value is this restart's, and nobody has used the line since. */
export const lineSchema = z.strictObject({ line: slug, chain: digestHex, restart: uuid.optional() });

/** A request as it came over the wire, kept as evidence and shown to the keyholder. Header names in lower case. */
export const rawRequestSchema = z.strictObject({
  method: z.string().max(8),
  targetUri: z.string().max(2048),
  headers: z.record(z.string().max(64), z.string().max(8192)),
  body: bytes(),
});
export type RawRequest = z.infer<typeof rawRequestSchema>;
