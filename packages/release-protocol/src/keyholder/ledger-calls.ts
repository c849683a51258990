import { z } from "zod";
import { bytes, digestHex, instant, slug, uuid } from "../scalars.ts";
import { batch } from "./batch.ts";

/** At most this many tags in one `tags/compute`. */
export const KEYHOLDER_TAGS = 65_536;

const factsText = z.string().max(2048);

/** One entry to prepare. `release` takes its facts from the wrapped job key; every other kind brings them. */
export const entryDraftSchema = z.strictObject({
  kind: slug,
  recipient: slug.optional(),
  reference: z.string().min(1).max(200),
  subject: uuid.optional(),
  n: z.int().min(1).optional(),
  actor: uuid.optional(),
  at: instant,
  agreement: digestHex.optional(),
  order: uuid.optional(),
  job: uuid.optional(),
  attempt: z.int().min(1).optional(),
  request: digestHex.optional(),
  facts: factsText.optional(),
  detail: factsText.optional(),
  wrapped: z.strictObject({ key: bytes(), context: bytes() }).optional(),
});
export type EntryDraft = z.infer<typeof entryDraftSchema>;

const shownField = z.strictObject({ value: z.string(), salt: bytes(32) });

/** What stands on the ledger: entries, tags, censuses, checkpoints, and what may be opened again. */
export const ledgerCalls = {
  "entries/prepare": {
    request: z.strictObject({ entries: batch(entryDraftSchema) }),
    response: z.strictObject({
      entries: z.array(z.strictObject({ operationId: bytes(32), leaf: bytes(), openings: bytes() })),
    }),
  },
  /**
   * Tags of the entries `from` to `to` about each person (ledger entry.md, 3); null for a person without keys. They tell
   * whose entries in the public log those are, so that each call stands in the journal with everybody asked about.
   */
  "tags/compute": {
    request: z.strictObject({
      reason: z.string().min(1).max(200),
      people: batch(
        z
          .strictObject({ person: uuid, from: z.int().min(1), to: z.int().min(1) })
          .refine(({ from, to }) => from <= to, "a range runs upwards"),
      ).refine(
        (people) => people.reduce((sum, { from, to }) => sum + to - from + 1, 0) <= KEYHOLDER_TAGS,
        `at most ${KEYHOLDER_TAGS} tags`,
      ),
    }),
    response: z.strictObject({ tags: z.array(z.array(bytes(32)).nullable()) }),
  },
  /** Leaves of a census (ledger census.md, 1), null for a person without keys; and the operation id of the census after it. */
  "census/leaves": {
    request: z.strictObject({
      seq: z.int().min(1),
      people: batch(z.strictObject({ person: uuid, n: z.int().min(0) })),
    }),
    response: z.strictObject({
      leaves: z.array(z.strictObject({ key: bytes(32), commitment: bytes(32) }).nullable()),
      next: bytes(32),
    }),
  },
  /** Kind and detail of census entries, to be held against their leaves; null for an entry of another kind. */
  "census/show": {
    request: z.strictObject({ entries: batch(z.strictObject({ operationId: bytes(32), openings: bytes() })) }),
    response: z.strictObject({
      censuses: z.array(z.strictObject({ kind: shownField, detail: shownField }).nullable()),
    }),
  },
  /**
   * Opens the event part of entries, in the order given, as one journalled query. Empty `openings` ask for what the
   * keyholder has opened before and still remembers (100,000 entries): ask so first, then bring the openings of those
   * answered with `null`, some thousands a call (a request holds 64 MiB).
   */
  "facts/open": {
    request: z.strictObject({
      reason: z.string().min(1).max(200),
      actor: uuid,
      entries: z.array(z.strictObject({ operationId: bytes(32), openings: bytes() })).max(65536),
    }),
    response: z.strictObject({
      facts: z.array(
        z
          .strictObject({
            kind: z.string(),
            recipient: z.string(),
            at: z.string(),
            order: z.string(),
            job: z.string(),
            attempt: z.string(),
            agreement: z.string(),
            request: z.string(),
            facts: z.string(),
            detail: z.string(),
          })
          .nullable(),
      ),
    }),
  },
  /** Signs a checkpoint; refuses one that does not extend the last that it signed. */
  "checkpoints/sign": {
    request: z.strictObject({
      origin: z.string().min(1).max(255),
      oldSize: z.int().min(0),
      size: z.int().min(0),
      root: bytes(32),
      consistency: z.array(z.string().max(44)).max(128),
    }),
    response: z.discriminatedUnion("ok", [
      z.strictObject({ ok: z.literal(true), note: z.string() }),
      z.strictObject({ ok: z.literal(false), reason: z.string(), size: z.int(), root: bytes(32) }),
    ]),
  },
  "journal/head": {
    request: z.strictObject({}),
    response: z.strictObject({ size: z.int(), head: digestHex }),
  },
} as const;
