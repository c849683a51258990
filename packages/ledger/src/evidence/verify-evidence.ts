import { fromHex, toHex } from "../bytes.ts";
import type { MlDsa44Verify } from "../crypto.ts";
import { ENTRY_FIELDS, type EntryField } from "../entry/fields.ts";
import { LEAF_LENGTH, type Opening, verifyOpening } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import { type Checkpoint, parseCheckpoint } from "../formats/checkpoint.ts";
import type { LogKey } from "../formats/log-key.ts";
import { type CheckpointVerdict, openCheckpoint } from "../formats/open-checkpoint.ts";
import type { Policy } from "../formats/policy.ts";
import { parseSignedNote, type SignedNote } from "../formats/signed-note.ts";
import { parseTlogProof } from "../formats/tlog-proof.ts";
import { type PolicyVerdict, verifyPolicy, type WitnessTime } from "../formats/verify-policy.ts";
import { leafHash } from "../tree/hashes.ts";
import { verifyInclusion } from "../tree/verify-proof.ts";

/** A proof, and what it is held against. */
export type EvidenceInput = {
  /** A `.tlog-proof` file. */
  readonly proof: Uint8Array;
  /** The log's. May be empty where the policy names its logs. */
  readonly verifierKeys: readonly LogKey[];
  /** Who must have cosigned the checkpoint besides, and which logs count, where it names some. */
  readonly policy?: Policy;
  /** For ML-DSA keys, where the platform has none. */
  readonly mlDsa44?: MlDsa44Verify;
  /** Without it, whatever log the checkpoint names. */
  readonly origin?: string;
  /** The entry, where the proof's extra data does not hold it. */
  readonly entry?: Uint8Array;
  /** Fields that are shown, to be held against the entry's commitments. */
  readonly openings?: readonly Opening[];
};

/** What holds, or the first thing that does not. */
export type EvidenceVerdict =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: bigint;
      readonly index: bigint;
      readonly entry: Uint8Array;
      readonly note: SignedNote;
      /** Who cosigned, of the policy's witnesses; none without a policy. */
      readonly witnesses: readonly WitnessTime[];
    }
  | {
      readonly ok: false;
      readonly reason:
        | Extract<CheckpointVerdict | PolicyVerdict, { ok: false }>["reason"]
        | "no-entry"
        | "other-entry"
        | "not-included"
        | "no-leaf"
        | "opening-differs";
      readonly field?: EntryField;
      /** Who cosigned, where only the quorum is missing. */
      readonly witnesses?: readonly WitnessTime[];
    };

/**
 * Verifies one entry's evidence offline: the log's signature, the policy's quorum where there is one, the entry's place
 * under them, and every field that is shown.
 * Throws `proof-malformed`, `note-malformed` or `checkpoint-malformed`.
 */
export const verifyEvidence = (input: EvidenceInput): EvidenceVerdict => {
  const { index, proof, checkpoint: bytes, extra } = parseTlogProof(input.proof);
  const opened = openProven(bytes, input);
  if (!opened.ok) return opened;
  const { origin, size, root } = opened.checkpoint;
  const entry = input.entry ?? extra;
  if (entry === undefined) return { ok: false, reason: "no-entry" };
  if (extra && toHex(extra) !== toHex(entry)) return { ok: false, reason: "other-entry" };
  if (!verifyInclusion({ index, size, root, proof, leafHash: leafHash(entry) })) {
    return { ok: false, reason: "not-included" };
  }
  const wrong = input.openings?.length ? findWrong(entry, input.openings) : undefined;
  return wrong ?? { ok: true, origin, size, index, entry, note: opened.note, witnesses: opened.witnesses };
};

type Proven = { ok: true; checkpoint: Checkpoint; note: SignedNote; witnesses: readonly WitnessTime[] };

/** By the keys given, by the policy, or by both. */
const openProven = (
  bytes: Uint8Array,
  { verifierKeys: keys, policy, mlDsa44, ...input }: EvidenceInput,
): Proven | Extract<EvidenceVerdict, { ok: false }> => {
  const origin = input.origin ?? parseCheckpoint(parseSignedNote(bytes).text).origin;
  if (policy === undefined || keys.length > 0) {
    const opened = openCheckpoint(bytes, { keys, origin, mlDsa44 });
    if (!opened.ok) return { ok: false, reason: opened.reason };
    if (policy === undefined) return { ...opened, witnesses: [] };
  }
  const log = policy.logs.length > 0 ? {} : { log: { origin, keys } };
  const verdict = verifyPolicy(bytes, { policy, ...log, ...(mlDsa44 ? { mlDsa44 } : {}) });
  if (verdict.ok && verdict.checkpoint.origin !== origin) return { ok: false, reason: "other-origin" };
  return verdict;
};

const findWrong = (entry: Uint8Array, openings: readonly Opening[]): EvidenceVerdict | undefined => {
  if (entry.length !== LEAF_LENGTH || entry[0] !== 1) return { ok: false, reason: "no-leaf" };
  const wrong = openings.find((opening) => !verifyOpening(entry, opening));
  return wrong && { ok: false, reason: "opening-differs", field: wrong.field };
};

/** Shown fields as a JSON file: `{"version":1,"openings":[{"field","value","salt"}]}`, salts in lower-case hex. */
export const encodeShownOpenings = (openings: readonly Opening[]): string =>
  `${JSON.stringify({ version: 1, openings: openings.map(({ field, value, salt }) => ({ field, value, salt: toHex(salt) })) }, null, 2)}\n`;

/** Reads such a file strictly; throws `openings-malformed`, also for a field that is shown twice. */
export const parseShownOpenings = (text: string): readonly Opening[] => {
  const file = readJson(text);
  if (!isRecord(file) || file.version !== 1 || !Array.isArray(file.openings) || Object.keys(file).length !== 2) {
    throw malformed('it must hold "version": 1 and "openings", and nothing else');
  }
  const openings = file.openings.map(toOpening);
  if (new Set(openings.map(({ field }) => field)).size !== openings.length) throw malformed("a field is shown twice");
  return openings;
};

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("it is no JSON");
  }
};

const toOpening = (item: unknown): Opening => {
  if (!isRecord(item) || Object.keys(item).length !== 3) throw malformed("an opening has field, value and salt");
  const field = ENTRY_FIELDS.find((name) => name === item.field);
  const { value, salt } = item;
  if (field === undefined) throw malformed("it shows a field that no entry has");
  if (typeof value !== "string" || typeof salt !== "string" || !/^[0-9a-f]{64}$/.test(salt)) {
    throw malformed(`the value of "${field}" is a text, its salt 64 lower-case hex digits`);
  }
  return { field, value, salt: fromHex(salt) };
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const malformed = (why: string): LedgerError => new LedgerError("openings-malformed", `shown openings: ${why}`);
