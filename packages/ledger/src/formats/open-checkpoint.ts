import type { MlDsa44Verify } from "../crypto.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { type LogKey, type LogNoteVerdict, verifyLogNote } from "./log-key.ts";
import { type NoteSignature, parseSignedNote, type SignedNote } from "./signed-note.ts";

/** A checkpoint to be believed, or why not: `other-origin` is a good signature over another log's. */
export type CheckpointVerdict =
  | {
      readonly ok: true;
      readonly checkpoint: Checkpoint;
      readonly note: SignedNote;
      /** The signatures of the keys given; others may stand in the note. */
      readonly verified: readonly NoteSignature[];
    }
  | { readonly ok: false; readonly reason: Extract<LogNoteVerdict, { ok: false }>["reason"] | "other-origin" };

/**
 * Reads and verifies a signed checkpoint of one log (C2SP tlog-checkpoint). Refused when no known key signed it, one of
 * them signed it wrongly, or it is another log's. `mlDsa44` is for keys of type 06 where the platform lacks ML-DSA-44.
 * Throws `note-malformed` or `checkpoint-malformed`.
 */
export const openCheckpoint = (
  bytes: Uint8Array,
  { keys, origin, mlDsa44 }: { keys: readonly LogKey[]; origin: string; mlDsa44?: MlDsa44Verify | undefined },
): CheckpointVerdict => {
  const note = parseSignedNote(bytes);
  const verdict = verifyLogNote(note, keys, mlDsa44);
  if (!verdict.ok) return verdict;
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) return { ok: false, reason: "other-origin" };
  return { ok: true, checkpoint, note, verified: verdict.verified };
};
