import { z } from "zod";
import { bytes, instant, slug, uuid } from "../scalars.ts";
import { batch, KEYHOLDER_BATCH } from "./batch.ts";

/** Why a DEK is opened; each opening stands in the keyholder's journal. */
export const OPENING_PURPOSES = ["import", "request", "order", "view", "search", "disclosure", "drill"] as const;

/** Why indexes are computed; each call stands in the keyholder's journal. */
const INDEX_PURPOSES = ["import", "list", "search"] as const;

/** Keys of people: their roots, their data keys within the budget, their indexes and their own history. */
export const registerCalls = {
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
  /** One person's tag key and audit key, for that person's own history; costs an opening. `purpose` stands in the journal: no names. */
  "history/keys": {
    request: z.strictObject({ person: uuid, actor: uuid, purpose: z.string().min(1).max(200) }),
    response: z.union([
      z.strictObject({ ok: z.literal(true), tagKey: bytes(32), auditKey: bytes(32) }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("budget-exceeded"), left: z.int() }),
      z.strictObject({ ok: z.literal(false), reason: z.literal("unknown-person") }),
    ]),
  },
} as const;
