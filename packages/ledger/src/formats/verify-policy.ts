import { equalBytes } from "../bytes.ts";
import type { MlDsa44Verify } from "../crypto.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { verifyCosignature } from "./cosignature.ts";
import { type LogKey, type LogNoteVerdict, verifyLogNote } from "./log-key.ts";
import type { Policy, PolicyWitness, Quorum } from "./policy.ts";
import { type NoteSignature, parseSignedNote, type SignedNote } from "./signed-note.ts";

/** A witness that cosigned, and when it says that it did: seconds since the epoch. */
export type WitnessTime = { readonly name: string; readonly keyName: string; readonly timestamp: bigint };

/** Who signed and cosigned, or why the checkpoint is not to be believed. */
export type PolicyVerdict =
  | {
      readonly ok: true;
      readonly checkpoint: Checkpoint;
      readonly note: SignedNote;
      /** The verifying key's name: the log's origin. */
      readonly log: string;
      readonly witnesses: readonly WitnessTime[];
      /** Signatures of keys that the policy does not know, untouched. */
      readonly unknown: readonly NoteSignature[];
    }
  | {
      readonly ok: false;
      readonly reason: Extract<LogNoteVerdict, { ok: false }>["reason"] | "unknown-log" | "quorum-missing";
      /** Who cosigned, where only the quorum is missing. */
      readonly witnesses?: readonly WitnessTime[];
    };

/** A policy, and what is known besides it. */
export type VerifyPolicyInput = {
  readonly policy: Policy;
  /** The log's keys, known from elsewhere: for a policy that names no logs, and instead of those that it names. */
  readonly log?: { readonly origin: string; readonly keys: readonly LogKey[] };
  readonly mlDsa44?: MlDsa44Verify;
};

/**
 * Verifies a signed checkpoint against a policy (C2SP tlog-policy): signed by one of its logs, under that log's own origin,
 * and cosigned by a quorum of its witnesses. One false signature of a known key refuses the whole note; signatures of
 * unknown keys count for nothing. Throws `note-malformed` or `checkpoint-malformed`.
 */
export const verifyPolicy = (bytes: Uint8Array, input: VerifyPolicyInput): PolicyVerdict => {
  const note = parseSignedNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  const { origin } = checkpoint;
  const logKeys = input.log
    ? input.log.keys.filter(() => input.log?.origin === origin)
    : input.policy.logs.map(({ key }) => key).filter(({ name }) => name === origin);
  if (logKeys.length === 0) return { ok: false, reason: "unknown-log" };
  const signed = verifyLogNote(note, logKeys, input.mlDsa44);
  if (!signed.ok) return signed;
  const foreign = foreignWitnesses(input.policy, logKeys);
  const cosigned = verifyWitnesses(note, foreign, input.mlDsa44);
  if (!cosigned.ok) return cosigned;
  const { found } = cosigned;
  const witnesses = foreign.flatMap((witness) => {
    const timestamp = found.get(witness);
    return timestamp === undefined ? [] : [{ name: witness.name, keyName: witness.key.name, timestamp }];
  });
  if (!isFulfilled(input.policy.quorum, found)) return { ok: false, reason: "quorum-missing", witnesses };
  const known = [...logKeys, ...input.policy.witnesses.map(({ key }) => key)];
  const unknown = note.signatures.filter((signature) => !known.some((key) => isBy(signature, key)));
  return { ok: true, checkpoint, note, log: signed.verified[0]?.name ?? origin, witnesses, unknown };
};

/** The witnesses that are not the log itself: its own key says nothing of what others were shown, whatever it is called. */
export const foreignWitnesses = (policy: Policy, logKeys: readonly LogKey[]): readonly PolicyWitness[] =>
  policy.witnesses.filter(({ key }) => !logKeys.some(({ publicKey }) => equalBytes(publicKey, key.publicKey)));

const isBy = (signature: NoteSignature, key: { name: string; keyId: string }): boolean =>
  signature.name === key.name && signature.keyId === key.keyId;

type Refused = Extract<PolicyVerdict, { ok: false }>;
const verifyWitnesses = (
  note: SignedNote,
  witnesses: readonly PolicyWitness[],
  mlDsa44: MlDsa44Verify | undefined,
): { ok: true; found: ReadonlyMap<PolicyWitness, bigint> } | Refused => {
  const found = new Map<PolicyWitness, bigint>();
  for (const witness of witnesses) {
    const { key } = witness;
    const signature = note.signatures.find((candidate) => isBy(candidate, key));
    const verdict = signature && verifyCosignature(note.text, signature, { key, mlDsa44 });
    if (verdict?.ok) found.set(witness, verdict.timestamp);
    else if (verdict && verdict.reason !== "unsupported-algorithm") return { ok: false, reason: "bad-signature" };
  }
  return { ok: true, found };
};

/** Whether these witnesses are enough. */
export const isFulfilled = (quorum: Quorum | "none", found: { has(witness: PolicyWitness): boolean }): boolean => {
  if (quorum === "none") return true;
  if ("witness" in quorum) return found.has(quorum.witness);
  return quorum.members.filter((member) => isFulfilled(member, found)).length >= quorum.threshold;
};
