import { leafHash } from "../tree/hashes.ts";
import type { Prover } from "../tree/prover.ts";
import { verifyInclusion } from "../tree/verify-proof.ts";
import type { EntryIndex } from "./entry-index.ts";

/** The log that is looked at, under a checkpoint whose signatures the caller has verified. */
export type ListedLog = {
  readonly index: EntryIndex;
  readonly prover: Prover;
  readonly root: Uint8Array;
  /** The entry at an index. */
  readonly readEntry: (index: number) => Promise<Uint8Array>;
  /** Its openings, or `undefined` where they are gone. */
  readonly readOpenings: (index: number) => Promise<Uint8Array | undefined>;
};

/** Whether the entry stands at its index under the log's root. */
export const isIncluded = (
  { prover, root }: Pick<ListedLog, "prover" | "root">,
  { index, entry, proof }: { index: number; entry: Uint8Array; proof: readonly Uint8Array[] },
): boolean => verifyInclusion({ index, size: prover.size, root, proof, leafHash: leafHash(entry) });
