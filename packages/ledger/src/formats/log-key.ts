import type { MlDsa44Verify } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { verifyCosignature } from "./cosignature.ts";
import { COSIGNATURE_TYPES, type CosignerKey, parseCosignerKey } from "./cosigner-key.ts";
import { type NoteSignature, type NoteVerdict, type SignedNote, verifyNote } from "./signed-note.ts";
import { ED25519_TYPE, parseTypedKey, parseVerifierKey, type VerifierKey } from "./verifier-key.ts";

/**
 * A log's key signs its checkpoints as plain notes (Ed25519, type 01), or as a cosigner does by ML-DSA-44 (06): C2SP
 * tlog-checkpoint, "Signatures".
 */
export type LogKey = VerifierKey | Extract<CosignerKey, { readonly algorithm: "ml-dsa-44" }>;

/**
 * Reads a log's verifier key. Throws `verifier-key-malformed`, also for type 04: that is a witness's, and a log that signs so
 * would be its own witness.
 */
export const parseLogKey = (text: string): LogKey => {
  const { type } = parseTypedKey(text);
  if (type === ED25519_TYPE) return parseVerifierKey(text);
  if (type === COSIGNATURE_TYPES.ed25519.type) throw malformed("type 04 is a witness's; a log's has type 01 or 06");
  const key = parseCosignerKey(text);
  if (key.algorithm === "ml-dsa-44") return key;
  throw malformed("a log's has type 01 or 06");
};

const malformed = (why: string): LedgerError => new LedgerError("verifier-key-malformed", `log's key: ${why}`);

export type LogNoteVerdict =
  | { readonly ok: true; readonly verified: readonly NoteSignature[] }
  | {
      readonly ok: false;
      readonly reason: Extract<NoteVerdict, { ok: false }>["reason"] | "unsupported-algorithm";
    };

/**
 * Verifies every signature of a checkpoint by a known key of its log, as `verifyNote` does. `unsupported-algorithm`: one of
 * them is ML-DSA-44, which neither the platform nor `mlDsa44` verifies. Throws `checkpoint-malformed` where one of them is
 * ML-DSA-44 and the text is no checkpoint.
 */
export const verifyLogNote = (note: SignedNote, keys: readonly LogKey[], mlDsa44?: MlDsa44Verify): LogNoteVerdict => {
  const verified: NoteSignature[] = [];
  for (const key of keys) {
    if (!("algorithm" in key)) continue;
    const signature = note.signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
    if (signature === undefined) continue;
    const verdict = verifyCosignature(note.text, signature, { key, mlDsa44 });
    if (verdict.ok) verified.push(signature);
    else if (verdict.reason === "unsupported-algorithm") return { ok: false, reason: "unsupported-algorithm" };
    else return { ok: false, reason: "bad-signature" };
  }
  const plain = verifyNote(
    note,
    keys.flatMap((key) => ("algorithm" in key ? [] : [key])),
  );
  if (plain.ok) verified.push(...plain.verified);
  else if (plain.reason === "bad-signature") return plain;
  if (verified.length > 0) return { ok: true, verified };
  const isNamed = note.signatures.some(({ name }) => keys.some((key) => key.name === name));
  return { ok: false, reason: isNamed ? "key-id-mismatch" : "no-known-signature" };
};
