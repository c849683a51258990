import { equalBytes, toHex } from "./bytes.ts";
import type { MlDsa44Verify } from "./crypto.ts";
import { type Checkpoint, parseCheckpoint } from "./formats/checkpoint.ts";
import type { LogKey } from "./formats/log-key.ts";
import { openCheckpoint } from "./formats/open-checkpoint.ts";
import { parseSignedNote } from "./formats/signed-note.ts";
import { CHECKPOINT_PATH, type LogReader } from "./storage/tile-storage.ts";
import { type LogFault, Misfit, orFault } from "./verify-log/misfit.ts";
import { MOST_NOTED } from "./verify-log/operation-book.ts";
import type { Scratch } from "./verify-log/spilled-book.ts";
import { type BundlesInput, verifyBundles } from "./verify-log/verify-bundles.ts";

export type { LogFault } from "./verify-log/misfit.ts";
export type { Scratch } from "./verify-log/spilled-book.ts";

export type LogVerdict =
  | {
      readonly ok: true;
      readonly origin: string;
      readonly size: number;
      readonly root: Uint8Array;
      /** The signed checkpoint that all of it was held against, byte for byte; for `verifyPolicy`. */
      readonly note: Uint8Array;
      readonly openingsChecked: boolean;
      /** Whether every entry was held against every other for one operation that stands twice. */
      readonly operationsChecked: boolean;
    }
  | { readonly ok: false; readonly fault: LogFault };

export type VerifyLogInput = {
  readonly tiles: LogReader;
  /** The log's, of type 01 or 06. */
  readonly verifierKeys: readonly LogKey[];
  /** For keys of type 06, where the platform lacks ML-DSA-44. */
  readonly mlDsa44?: MlDsa44Verify;
  /** Without it, whatever log the checkpoint names. */
  readonly origin?: string;
  /** With it, every leaf's openings must be there and have the digest that the leaf gives. */
  readonly openings?: LogReader;
  /** True for a log of other entries than docs/spec/entry.md has: they are bytes, and no operation or openings are looked for. */
  readonly anyEntries?: boolean;
  /**
   * The largest log, in entries, in which an operation that stands twice is looked for in memory, at up to 32 bytes each;
   * 2^21.
   */
  readonly mostOperations?: number;
  /** Where a larger log's operations are kept meanwhile, at 16 bytes each; without it, none is looked for in such a log. */
  readonly scratch?: Scratch;
  /** Threads to hash with, from 1, on Node; left out, one for each processor, and none but the caller's for a small log. */
  readonly threads?: number;
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void;
};

/**
 * Verifies a whole log offline: checkpoint, every entry, every tile that the checkpoint's tree needs, the root; every entry
 * is a leaf of a known version, and no two are of one operation. Holds a few bundles a thread in memory, and the operations
 * of a log that is not too large for it; those of a larger one are put into `scratch`. However many threads there are, the
 * fault is the first one of the log. Rejects with `storage-failed` alone, of the log or the scratch; every other fault is
 * its answer.
 */
export const verifyLog = async (input: VerifyLogInput): Promise<LogVerdict> => {
  try {
    const { checkpoint, note } = await readCheckpoint(input);
    const size = Number(checkpoint.size);
    const operations = operationsFor(input, size);
    const derived = await verifyBundles({ ...input, anyEntries: input.anyEntries === true, operations }, checkpoint);
    if (!equalBytes(derived, checkpoint.root)) {
      throw new Misfit({ kind: "root", path: CHECKPOINT_PATH, message: `the entries have the root ${toHex(derived)}` });
    }
    const { origin, root } = checkpoint;
    const openingsChecked = input.openings !== undefined;
    const operationsChecked = operations !== "none";
    return { ok: true, origin, size, root, note, openingsChecked, operationsChecked };
  } catch (error) {
    if (error instanceof Misfit) return { ok: false, fault: error.fault };
    throw error;
  }
};

const readCheckpoint = async ({
  tiles,
  verifierKeys,
  origin,
  mlDsa44,
}: VerifyLogInput): Promise<{ checkpoint: Checkpoint; note: Uint8Array }> => {
  const place = { kind: "checkpoint", path: CHECKPOINT_PATH } as const;
  const bytes = await tiles.read(CHECKPOINT_PATH);
  if (bytes === undefined) throw new Misfit({ ...place, kind: "missing", message: "there is no checkpoint" });
  const verdict = await orFault(place, () => {
    const named = origin ?? parseCheckpoint(parseSignedNote(bytes).text).origin;
    return openCheckpoint(bytes, { keys: verifierKeys, origin: named, mlDsa44 });
  });
  if (!verdict.ok) throw new Misfit({ ...place, message: `the checkpoint is refused: ${verdict.reason}` });
  if (verdict.checkpoint.size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Misfit({ ...place, message: "the checkpoint's size is more than any folder can hold" });
  }
  return { checkpoint: verdict.checkpoint, note: bytes };
};

const MOST_OPERATIONS = 2 ** 21;

const operationsFor = (input: VerifyLogInput, size: number): BundlesInput["operations"] => {
  const { anyEntries, mostOperations = MOST_OPERATIONS, scratch } = input;
  if (anyEntries === true) return "none";
  return size <= Math.min(mostOperations, MOST_NOTED) ? "memory" : (scratch ?? "none");
};
