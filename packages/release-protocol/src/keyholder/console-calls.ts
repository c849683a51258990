import { z } from "zod";
import { bytes, digestHex, instant, slug, uuid } from "../scalars.ts";
import { statusCall } from "./status-call.ts";

const agreementPin = z.strictObject({
  bytes: bytes(),
  signatures: z.string().max(8192),
});

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
  status: statusCall,
} as const;
export type ConsoleCall = keyof typeof consoleCalls;
