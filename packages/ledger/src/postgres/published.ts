import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { encodeCheckpoint, parseCheckpoint } from "../formats/checkpoint.ts";
import { verifyLogNote } from "../formats/log-key.ts";
import { parseSignedNote } from "../formats/signed-note.ts";
import { CHECKPOINT_PATH, tileReaderOf } from "../storage/tile-storage.ts";
import { createProver, type Prover } from "../tree/prover.ts";
import type { SequencerOptions } from "./options.ts";

/** A checkpoint that is out, and the tree that it signs. */
export type Published = {
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed note. */
  readonly checkpoint: Uint8Array;
  /** Whether the quorum of the sequencer's own policy stands in that note. */
  readonly witnessed: boolean;
  readonly prover: Prover;
};

type Place = Pick<SequencerOptions, "tiles" | "origin" | "verifierKeys" | "witnesses">;

/** The checkpoint in the log's folder, or `undefined`; throws `log-halted` when it is not one of this log. */
export const readPublished = async (place: Place): Promise<Published | undefined> => {
  const { tiles, origin, verifierKeys } = place;
  const bytes = await tiles.read(CHECKPOINT_PATH);
  if (bytes === undefined) return undefined;
  const note = parseSignedNote(bytes);
  const { size, root, origin: found } = parseCheckpoint(note.text);
  if (found !== origin) throw new LedgerError("log-halted", `the checkpoint belongs to another log than ${origin}`);
  if (verifierKeys) {
    const verdict = verifyLogNote(note, verifierKeys);
    if (!verdict.ok) throw new LedgerError("log-halted", `the published checkpoint is not ours: ${verdict.reason}`);
  }
  return published(place, { size: Number(size), root, checkpoint: bytes });
};

export const published = (
  { tiles, witnesses }: Pick<Place, "tiles" | "witnesses">,
  head: Pick<Published, "size" | "root" | "checkpoint">,
): Published => ({
  ...head,
  witnessed: witnesses?.isWitnessed(head.checkpoint) ?? false,
  prover: createProver({ size: head.size, readTile: tileReaderOf(tiles) }),
});

/** Throws `signature-refused` unless the note says exactly this, under a valid signature where keys are known. */
export const assertSigned = (
  note: Uint8Array,
  { origin, verifierKeys, size, root }: Omit<Place, "tiles"> & { size: number; root: Uint8Array },
): void => {
  const parsed = parseSignedNote(note);
  if (parsed.text !== encodeCheckpoint({ origin, size, root })) {
    throw new LedgerError(
      "signature-refused",
      "the signer signed another checkpoint than the one that it was asked for",
    );
  }
  const verdict = verifierKeys ? verifyLogNote(parsed, verifierKeys) : undefined;
  if (verdict && !verdict.ok) throw new LedgerError("signature-refused", `the signature is no good: ${verdict.reason}`);
};

/** Throws `log-halted` unless the tiles have this root. */
export const assertRoot = async (prover: Prover, root: Uint8Array): Promise<void> => {
  if (prover.size > 0 && !equalBytes(await prover.root(), root)) {
    throw new LedgerError("log-halted", `the tiles of size ${prover.size} have another root than the head of the log`);
  }
};
