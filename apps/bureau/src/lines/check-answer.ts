import {
  ENTRY_FIELDS,
  type EntryField,
  LedgerError,
  leafHash,
  type VerifierKey,
  verifyBytes,
  verifyInclusion,
  verifyOpening,
} from "@tipstaff/ledger";
import { outcomeStatement, type ReleaseAnswer } from "@tipstaff/release-protocol";
import type { ReadCheckpoint } from "./checkpoint-reader.ts";

/** Why an answer that the desk signed is not used. Each means that the force's own parts do not agree. */
export type AnswerFault =
  | "other-job"
  | "outcome-signature"
  | "other-log"
  | "checkpoint"
  | "inclusion"
  | "openings-missing"
  | "openings-other";

export type CheckedAnswer =
  | { readonly ok: true; readonly leafHash: Uint8Array; readonly enc: Uint8Array; readonly sealed: Uint8Array }
  | { readonly ok: false; readonly fault: AnswerFault };

export type Expected = {
  readonly recipient: string;
  readonly job: string;
  readonly attempt: number;
  /** Hex. */
  readonly identity: string;
  readonly force: VerifierKey;
  /** Reads checkpoints of the pinned log. */
  readonly readCheckpoint: ReadCheckpoint;
  /** The pinned log's. */
  readonly origin: string;
};

/**
 * Everything that must be true before a released key is used (docs/spec/release-protocol.md, section 4): the keyholder
 * signed this outcome, and the release stands in the log under the names of this recipient, job, attempt and request.
 */
export function checkAnswer(answer: ReleaseAnswer, expected: Expected): CheckedAnswer {
  const refuse = (fault: AnswerFault): CheckedAnswer => ({ ok: false, fault });
  if (answer.job !== expected.job || answer.attempt !== expected.attempt) return refuse("other-job");
  const leaf = fromBase64url(answer.leaf);
  const hash = leafHash(leaf);
  const enc = fromBase64url(answer.enc);
  const sealed = fromBase64url(answer.sealed);
  const statement = outcomeStatement({ outcome: "released", leafHash: hash, enc, sealed });
  if (!verifyBytes(expected.force, statement, fromBase64url(answer.signature))) return refuse("outcome-signature");
  if (answer.origin !== expected.origin) return refuse("other-log");
  const checkpoint = expected.readCheckpoint(answer.checkpoint);
  if (checkpoint === undefined) return refuse("checkpoint");
  const proof = answer.proof.map((hashText) => Buffer.from(hashText, "base64"));
  const isIncluded = verifyInclusion({
    index: answer.index,
    size: checkpoint.size,
    leafHash: hash,
    proof,
    root: checkpoint.root,
  });
  if (!isIncluded) return refuse("inclusion");
  const fault = checkOpenings(leaf, answer.revealed, expected);
  return fault === undefined ? { ok: true, leafHash: hash, enc, sealed } : refuse(fault);
}

function checkOpenings(
  leaf: Uint8Array,
  revealed: ReleaseAnswer["revealed"],
  expected: Expected,
): "openings-missing" | "openings-other" | undefined {
  const wanted: readonly (readonly [EntryField, string])[] = [
    ["kind", "release"],
    ["recipient", expected.recipient],
    ["job", expected.job],
    ["attempt", String(expected.attempt)],
    ["request", expected.identity],
  ];
  for (const [field, value] of wanted) {
    const shown = revealed.filter((opening) => opening.field === field);
    const [opening] = shown;
    if (opening === undefined || shown.length !== 1) return "openings-missing";
    if (opening.value !== value) return "openings-other";
  }
  // Fields beyond those five may be shown, but none may be untrue.
  return revealed.every((opening) => isTrue(leaf, opening)) ? undefined : "openings-other";
}

function isTrue(leaf: Uint8Array, opening: ReleaseAnswer["revealed"][number]): boolean {
  const field = ENTRY_FIELDS.find((known) => known === opening.field);
  if (field === undefined) return false;
  try {
    return verifyOpening(leaf, { field, salt: fromBase64url(opening.salt), value: opening.value });
  } catch (cause) {
    if (cause instanceof LedgerError) return false;
    throw cause;
  }
}

const fromBase64url = (text: string): Uint8Array => Buffer.from(text, "base64url");
