import { z } from "zod";
import { rawRequestSchema, revealedSchema } from "./bureau-messages.ts";
import { bytes, digestHex, instant, slug, uuid } from "./scalars.ts";

/** At most this many items in one keyholder call. */
export const KEYHOLDER_BATCH = 4096;
const batch = <T extends z.ZodType>(item: T) => z.array(item).max(KEYHOLDER_BATCH);

/** Why a DEK is opened; each opening stands in the keyholder's journal. */
export const OPENING_PURPOSES = ["import", "request", "order", "view", "search", "disclosure", "drill"] as const;

/** Why indexes are computed; each call stands in the keyholder's journal. */
const INDEX_PURPOSES = ["import", "list", "search"] as const;

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

const shownField = z.strictObject({ value: z.string(), salt: bytes(32) });

const agreementPin = z.strictObject({
  bytes: bytes(),
  signatures: z.string().max(8192),
});

/**
 * What the keyholder answers on its socket: one POST route each, JSON in and out. `facts/open` and nothing else returns
 * facts about people, and then under pseudonyms; `history/keys` returns what opens one person's entries.
 */
export const keyholderCalls = {
  /** New roots for a running import (or `staff`); answers each person's DEK version 1. Idempotent per person. */
  "roots/create": {
    request: z.strictObject({ batchId: slug, persons: batch(uuid) }),
    response: z.strictObject({ deks: z.array(bytes(32)) }),
  },
  /** The rows of that batch are durable: its roots stay. */
  "roots/confirm": { request: z.strictObject({ batchId: slug }), response: z.strictObject({ confirmed: z.int() }) },
  /** The rows of that batch never came: its unconfirmed roots go. */
  "roots/abandon": { request: z.strictObject({ batchId: slug }), response: z.strictObject({ abandoned: z.int() }) },
  "roots/erase": {
    request: z.strictObject({ person: uuid, actor: uuid, at: instant }),
    response: z.strictObject({ erased: z.boolean() }),
  },
  /** DEKs within the day's budget; `budget-exceeded` and nothing else when it does not suffice for all. */
  "deks/open": {
    request: z.strictObject({
      persons: batch(uuid),
      purpose: z.enum(OPENING_PURPOSES),
      reference: z.string().max(200),
      actor: uuid,
    }),
    response: z.discriminatedUnion("ok", [
      z.strictObject({ ok: z.literal(true), deks: z.array(bytes(32).nullable()) }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("budget-exceeded"), left: z.int() }),
    ]),
  },
  /**
   * Blind indexes of unique numbers and fingerprints of canonical rows, in the order asked. Each tells whose a number is, or
   * what stands in a row, to whoever has the register: a search costs an opening for each number; imports and lists
   * count against a budget of their own; `budget-exceeded` and nothing else when it does not suffice for all.
   */
  "indexes/compute": {
    request: z.strictObject({
      purpose: z.enum(INDEX_PURPOSES),
      reference: z.string().max(200),
      actor: uuid.optional(),
      numbers: z.array(z.strictObject({ field: slug, value: z.string().max(64) })).max(4 * KEYHOLDER_BATCH),
      rows: batch(z.string().max(16384)),
    }),
    response: z.discriminatedUnion("ok", [
      z.strictObject({ ok: z.literal(true), numbers: z.array(bytes(16)), rows: z.array(bytes(16)) }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("budget-exceeded"), left: z.int() }),
    ]),
  },
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
  /** One person's tag key and audit key, for that person's own history; costs an opening. `purpose` stands in the journal: no names. */
  "history/keys": {
    request: z.strictObject({ person: uuid, actor: uuid, purpose: z.string().min(1).max(200) }),
    response: z.union([
      z.strictObject({ ok: z.literal(true), tagKey: bytes(32), auditKey: bytes(32) }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("budget-exceeded"), left: z.int() }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("unknown-person") }),
    ]),
  },
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
  /** Public things: verifier key of the log, of the force; pinned agreements' digests and witnesses' policy; budget left today. */
  status: {
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
  },
} as const;

export type KeyholderCall = keyof typeof keyholderCalls;
export type KeyholderRequest<C extends KeyholderCall> = z.infer<(typeof keyholderCalls)[C]["request"]>;
export type KeyholderResponse<C extends KeyholderCall> = z.infer<(typeof keyholderCalls)[C]["response"]>;

/** What the keyholder's console answers, on a second socket that only its own OS user can open. */
export const consoleCalls = {
  /** Pins an agreement that both parties signed. */
  "agreements/pin": {
    request: agreementPin,
    response: z.discriminatedUnion("ok", [
      z.strictObject({ ok: z.literal(true), digest: digestHex }),
      z.strictObject({ ok: z.literal(false), reason: z.string() }),
    ]),
  },
  /** Signs an agreement's bytes for the controller: answers one signed-note signature line. */
  "agreements/sign": {
    request: z.strictObject({ bytes: bytes() }),
    response: z.strictObject({ line: z.string() }),
  },
  /** Pins the log's origin. */
  "log/pin": { request: z.strictObject({ origin: z.string() }), response: z.strictObject({ pinned: z.boolean() }) },
  /** Pins the policy (C2SP tlog-policy) whose quorum must have cosigned the checkpoint under a release; replaces an older one. */
  "witnesses/pin": {
    request: z.strictObject({ policy: z.string().min(1).max(1_048_576) }),
    response: z.strictObject({ pinned: z.boolean() }),
  },
  /** Pins a recipient's verifier key, by which agreements with it are checked. */
  "recipients/pin": {
    request: z.strictObject({ recipient: slug, verifierKey: z.string() }),
    response: z.strictObject({ pinned: z.boolean() }),
  },
  /** Raises the budget of openings until midnight UTC. */
  "budget/raise": {
    request: z.strictObject({ openings: z.int().min(1), reason: z.string().min(1).max(200) }),
    response: z.strictObject({ left: z.int() }),
  },
  /** Opens chosen fields of one entry, to be shown to somebody outside; `subject` and `actor` only to who names them. */
  "openings/show": {
    request: z.strictObject({
      reason: z.string().min(1).max(200),
      leaf: bytes(481),
      openings: bytes(),
      fields: z.array(z.string().max(20)).min(1).max(12),
      subject: uuid.optional(),
      actor: uuid.optional(),
    }),
    response: z.strictObject({
      openings: z.array(z.strictObject({ field: z.string(), value: z.string(), salt: bytes(32) })),
    }),
  },
  journal: {
    request: z.strictObject({ from: z.int().min(0), limit: z.int().min(1).max(10000) }),
    response: z.strictObject({
      entries: z.array(
        z.strictObject({ seq: z.int(), at: instant, what: z.string(), detail: z.string(), hash: digestHex }),
      ),
    }),
  },
  status: keyholderCalls.status,
} as const;
export type ConsoleCall = keyof typeof consoleCalls;
